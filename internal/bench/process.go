// Package bench measures Carillon as its users run it: the real binary as a process of its own, a load generator and a
// receiver beside it, and the bare limit (a client that does nothing but POST the same bodies) in the same run. Machines
// differ and are noisy, so what counts are ratios within one run and CPU per delivery. The package measures; it asserts
// nothing.
package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU time in /proc: USER_HZ, 100 on every Linux that Go supports.
const clockTick = 10 * time.Millisecond

// cpuOf returns the CPU time, user and system, that the processes have used, with all their descendants that still live
// and those that they waited for.
func cpuOf(pids ...int) (time.Duration, error) {
	tree, err := descendants(pids)
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, pid := range tree {
		used, err := cpuOfOne(pid)
		if err != nil {
			continue // it ended since it was listed; its parent has its time
		}
		total += used
	}
	return total, nil
}

// cpuOfOne reads utime, stime, cutime and cstime.
func cpuOfOne(pid int) (time.Duration, error) {
	fields, err := statFields(pid)
	if err != nil {
		return 0, err
	}
	var ticks int64
	for _, field := range fields[11:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// statFields returns the fields of /proc/PID/stat from the state on: field 3 of the manual is index 0.
func statFields(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("read process %d: %w", pid, err)
	}
	// The command's name is in parentheses and may hold anything, so count from the last one.
	end := bytes.LastIndexByte(raw, ')')
	fields := strings.Fields(string(raw[end+1:]))
	if end < 0 || len(fields) < 22 {
		return nil, fmt.Errorf("read process %d: unexpected form", pid)
	}
	return fields, nil
}

// descendants lists the processes and everything below them.
func descendants(roots []int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	children := map[int][]int{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		fields, err := statFields(pid)
		if err != nil {
			continue
		}
		parent, err := strconv.Atoi(fields[1])
		if err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	var tree []int
	for queue := append([]int(nil), roots...); len(queue) > 0; queue = queue[1:] {
		tree = append(tree, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return tree, nil
}

// peakBytes returns the largest resident memory that one process ever had.
func peakBytes(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(raw)) {
		text, found := strings.CutPrefix(line, "VmHWM:")
		if !found {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the memory of process %d: %w", pid, err)
		}
		return kilobytes << 10, nil
	}
	return 0, fmt.Errorf("read the memory of process %d: unexpected form", pid)
}
