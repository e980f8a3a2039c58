package pgtest

import (
	"cmp"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// ErrMissing says that PostgreSQL is not installed, and how to install it.
var ErrMissing = errors.New("PostgreSQL's server programs (initdb, postgres) are neither on PATH nor in " +
	"/usr/lib/postgresql/*/bin; install them: apt-get install postgresql")

// programs are the server's programs, both of one version.
type programs struct {
	initdb   string
	postgres string
}

// findPrograms looks on PATH, and then where Debian keeps them, newest version first.
func findPrograms() (programs, error) {
	return findProgramsIn("/usr/lib/postgresql")
}

func findProgramsIn(installed string) (programs, error) {
	if initdb, err := exec.LookPath("initdb"); err == nil {
		// The program on PATH may be a link: postgres stands beside the file it leads to.
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			if found, ok := programsIn(filepath.Dir(real)); ok {
				return found, nil
			}
		}
	}
	dirs, err := filepath.Glob(filepath.Join(installed, "*", "bin"))
	if err != nil {
		return programs{}, fmt.Errorf("look for PostgreSQL: %w", err)
	}
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Compare(versionOf(b), versionOf(a)) })
	for _, dir := range dirs {
		if found, ok := programsIn(dir); ok {
			return found, nil
		}
	}
	return programs{}, ErrMissing
}

func programsIn(dir string) (programs, bool) {
	found := programs{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
	for _, path := range []string{found.initdb, found.postgres} {
		if _, err := exec.LookPath(path); err != nil {
			return programs{}, false
		}
	}
	return found, true
}

// versionOf reads the major version out of …/<version>/bin.
func versionOf(bin string) int {
	version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return version
}
