package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"os"
	"strings"

	"carillon/webhook"
)

// verifyCommand checks one captured request.
type verifyCommand struct {
	File    string   `arg:"" help:"The request's body, byte for byte; - reads standard input. With --http the whole request, header lines included." placeholder:"FILE"`
	HTTP    bool     `name:"http" help:"The file holds the whole request: request line, header lines, an empty line, the body."`
	Header  []string `short:"H" sep:"none" help:"A header line of the request, such as 'X-Signature: …'." placeholder:"LINE"`
	Dialect string   `help:"The request's dialect; found out by default." placeholder:"NAME"`
	Secret  []string `required:"" help:"Secrets to verify with. Better in the variable CARILLON_SECRET." placeholder:"TEXT,…"`
}

// Run verifies and says so; the exit code is 1 when the signature is wrong.
func (v *verifyCommand) Run(g *globals) error {
	raw, err := v.read(g)
	if err != nil {
		return usageError{err}
	}
	header, body := http.Header{}, raw
	if v.HTTP {
		if header, body, err = parseRequest(raw); err != nil {
			return usageError{err}
		}
	}
	for _, line := range v.Header {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return usageError{fmt.Errorf("the header %q has no colon: write 'Name: value'", line)}
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	dialect := webhook.Dialect(v.Dialect)
	if v.Dialect == "" {
		var known bool
		if dialect, known = webhook.Detect(header, body); !known {
			return usageError{fmt.Errorf("the request is no known dialect's: name it with --dialect, and give its header lines with -H")}
		}
	}
	if err := webhook.Verify(dialect, header, body, v.Secret...); err != nil {
		return err
	}
	fmt.Fprintf(g.streams.Out, "verified: a request of the dialect %s, %d bytes\n", dialect, len(body))
	return nil
}

func (v *verifyCommand) read(g *globals) ([]byte, error) {
	if v.File == "-" {
		return io.ReadAll(g.streams.In)
	}
	return os.ReadFile(v.File)
}

// parseRequest takes a captured request apart. The body is everything behind the empty line: captures often have no
// Content-Length that fits.
func parseRequest(raw []byte) (http.Header, []byte, error) {
	reader := bufio.NewReader(bytes.NewReader(raw))
	first, err := reader.ReadString('\n')
	if err != nil {
		return nil, nil, fmt.Errorf("the file has no header lines; leave --http out if it is only the body")
	}
	if strings.Contains(strings.Fields(first + " :")[0], ":") {
		reader = bufio.NewReader(io.MultiReader(strings.NewReader(first), reader))
	}
	header, err := textproto.NewReader(reader).ReadMIMEHeader()
	if err != nil {
		return nil, nil, fmt.Errorf("read the header lines: %w", err)
	}
	body, err := io.ReadAll(reader)
	return http.Header(header), body, err
}
