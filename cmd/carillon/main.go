// Command carillon is the whole program: the server, the wrapper around infrastructure tools, and the client
// commands. See internal/cli.
package main

import (
	"os"

	"carillon/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
