package sqlite

import (
	"modernc.org/libc"
	"modernc.org/libc/sys/types"
)

// arena is memory of the library's world, which the garbage collector does not know. Texts and blobs are put there while
// a statement is bound to them: SQLite reads them where they lie, and nothing is allocated per value.
type arena struct {
	chunk     []byte
	at        uintptr // of chunk
	used      int
	overflows []uintptr // pieces that did not fit
}

const (
	arenaSmallest = 4 << 10
	arenaLargest  = 1 << 20
)

// put takes a piece of the arena and returns it with its address.
func (a *arena) put(tls *libc.TLS, size int) ([]byte, uintptr) {
	if size > len(a.chunk)-a.used {
		at := libc.Xmalloc(tls, types.Size_t(size))
		a.overflows = append(a.overflows, at)
		return libc.GoBytes(at, size), at
	}
	piece, at := a.chunk[a.used:a.used+size], a.at+uintptr(a.used)
	a.used += size
	return piece, at
}

// reset takes everything back, and grows the chunk for next time if something did not fit.
func (a *arena) reset(tls *libc.TLS) {
	if len(a.overflows) > 0 {
		for _, at := range a.overflows {
			libc.Xfree(tls, at)
		}
		if size := max(arenaSmallest, 2*len(a.chunk)); size <= arenaLargest {
			libc.Xfree(tls, a.at)
			a.at = libc.Xmalloc(tls, types.Size_t(size))
			a.chunk = libc.GoBytes(a.at, size)
		}
		a.overflows = a.overflows[:0]
	}
	a.used = 0
}

func (a *arena) free(tls *libc.TLS) {
	for _, at := range a.overflows {
		libc.Xfree(tls, at)
	}
	libc.Xfree(tls, a.at)
	*a = arena{}
}
