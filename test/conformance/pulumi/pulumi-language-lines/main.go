// Command pulumi-language-lines is a language for the pulumi command that needs nothing but itself. A program is a file
// program.txt: each line "name=value" is a resource that the engine keeps by itself, and the line "fail" fails.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

func main() {
	flag.Parse()
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers the engine and tells it on standard output where.
func serve(engine string) error {
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{Init: func(s *grpc.Server) error {
		pulumirpc.RegisterLanguageRuntimeServer(s, &host{engine: engine})
		return nil
	}})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	return <-handle.Done
}

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine string
}

// Handshake learns where the engine is.
func (h *host) Handshake(_ context.Context, r *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = r.EngineAddress
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo names the language's release.
func (*host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: "1.0.0"}, nil
}

// GetRequiredPlugins says that programs need none.
func (*host) GetRequiredPlugins(context.Context, *pulumirpc.GetRequiredPluginsRequest) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

// GetRequiredPackages says that programs need none.
func (*host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

// Run runs the program.
func (h *host) Run(ctx context.Context, r *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	run, err := pulumi.NewContext(ctx, pulumi.RunInfo{
		Project: r.Project, Stack: r.Stack, Organization: r.Organization, Config: r.Config, Parallel: r.Parallel, DryRun: r.DryRun,
		MonitorAddr: r.MonitorAddress, EngineAddr: h.engine, RootDirectory: r.Info.RootDirectory,
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = run.Close() }()
	err = pulumi.RunWithContext(run, func(c *pulumi.Context) error { return program(c, r.Info.ProgramDirectory) })
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	return &pulumirpc.RunResponse{}, nil
}

func program(c *pulumi.Context, dir string) error {
	file, err := os.Open(filepath.Join(dir, "program.txt"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if lines.Text() == "fail" {
			return errors.New("the program says so")
		}
		name, value, ok := strings.Cut(lines.Text(), "=")
		if !ok {
			continue
		}
		if err := c.RegisterResource("pulumi:index:Stash", name, pulumi.Map{"input": pulumi.String(value)}, &pulumi.CustomResourceState{}); err != nil {
			return err
		}
	}
	return lines.Err()
}
