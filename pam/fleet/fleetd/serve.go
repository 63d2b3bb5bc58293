package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/service"
	"latchkey/pam/twilio/dispatch"
)

// serve answers questions until SIGTERM or SIGINT.
func (p *program) serve(_ context.Context, _ options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	f.store.Close() // the service opens its own
	if _, err := f.Pair(); err != nil {
		return err
	}
	c, err := p.config(f)
	if err != nil {
		return err
	}
	spendMemory()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	s, err := service.Start(c)
	if err != nil {
		return err
	}
	metrics, err := serveMetrics(f.Metrics, s)
	if err != nil {
		s.Stop()
		return err
	}
	notify("READY=1")
	c.Log.Info("serving", "name", f.Name, "address", s.Addr())
	<-stop
	notify("STOPPING=1")
	metrics.Close()
	s.Stop()
	return nil
}

// spendMemory has the garbage collector run less often than it would: the heap of a service is a
// few MiB, and each question makes garbage of a tenth of that.
func spendMemory() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(512 << 20)
}

func (p *program) config(f *fleet) (service.Config, error) {
	st, err := storeConfig(f.Settings, f.secret)
	if err != nil {
		return service.Config{}, err
	}
	listen, err := net.Listen("tcp", f.Listen)
	if err != nil {
		return service.Config{}, err
	}
	return service.Config{
		Name: f.Name, Store: st, Listen: listen, Certificate: f.Pairs(), Dir: p.dir(),
		SameUIDs: f.SameUIDs, EnrollHosts: f.EnrollHosts, HostLimits: f.Limits,
		Quota: int64(f.Quota) << 30, Verifier: p.verifier,
		Log: slog.New(slog.NewTextHandler(p.err, &slog.HandlerOptions{ReplaceAttr: untimed})),
	}, nil
}

// untimed leaves out the time where the journal has it.
func untimed(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && os.Getenv("JOURNAL_STREAM") != "" {
		return slog.Attr{}
	}
	return a
}

// verifier reaches Twilio over latchkey-twilio, with this machine's twilio.toml.
func (p *program) verifier() authority.Verifier {
	return &dispatch.Dispatcher{Root: p.root, Clock: time.Now, Watched: -1}
}

// serveMetrics answers Prometheus, if the settings say where.
func serveMetrics(address string, s *service.Service) (*http.Server, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.Metrics)
	server := &http.Server{Handler: mux, ReadTimeout: 5 * time.Second,
		WriteTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10}
	if address == "" {
		return server, nil
	}
	listen, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	go func() {
		if err := server.Serve(listen); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("no longer serving metrics", "error", err)
		}
	}()
	return server, nil
}

// notify tells systemd, if it has started the program (sd_notify(3)).
func notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.Write([]byte(state))
}
