package pgtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc, the same on every architecture that Go runs on.
const tick = time.Second / 100

// stat is what is read here of /proc/<pid>/stat.
type stat struct {
	parent int
	state  string
	own    time.Duration // the process's own time
	waited time.Duration // the time of its children that ended
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(text))
}

// parseStat reads one line of proc(5). The second field is a name in brackets that may hold anything.
func parseStat(line string) (stat, error) {
	const (
		state = iota
		parent
		utime  = 11
		stime  = 12
		cutime = 13
		cstime = 14
	)
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) <= cstime {
		return stat{}, fmt.Errorf("unexpected line in /proc: %q", line)
	}
	var errs []error
	number := func(at int) int {
		n, err := strconv.Atoi(fields[at])
		errs = append(errs, err)
		return n
	}
	s := stat{
		parent: number(parent), state: fields[state],
		own:    time.Duration(number(utime)+number(stime)) * tick,
		waited: time.Duration(number(cutime)+number(cstime)) * tick,
	}
	return s, errors.Join(errs...)
}

// childrenOf lists the processes whose parent is pid.
func childrenOf(pid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if s, err := readStat(child); err == nil && s.parent == pid {
			children = append(children, child)
		}
	}
	return children, nil
}

// alive reports whether a process runs; one that only waits to be collected does not.
func alive(pid int) bool {
	s, err := readStat(pid)
	return err == nil && s.state != "Z"
}

// treeCPU sums the time of a process, of its living children and of those that ended. A child that ends while it reads
// moves its time from one to the other, so it reads until none did.
func treeCPU(pid int) (time.Duration, error) {
	root, err := readStat(pid)
	for err == nil {
		var children []int
		if children, err = childrenOf(pid); err != nil {
			break
		}
		total := root.own + root.waited
		for _, child := range children {
			if s, err := readStat(child); err == nil {
				total += s.own + s.waited
			}
		}
		seen := root.waited
		if root, err = readStat(pid); err == nil && root.waited == seen {
			return total, nil
		}
	}
	return 0, fmt.Errorf("read the processor time of process %d: %w", pid, err)
}
