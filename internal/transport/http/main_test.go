package http_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(sinkVariable) != "" {
		runSink()
	}
	goleak.VerifyTestMain(m)
}

// sinkVariable makes the test binary a receiver and nothing else: the benchmarks count the CPU of the sending process
// alone.
const sinkVariable = "CARILLON_TEST_SINK"

func runSink() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	})))
}
