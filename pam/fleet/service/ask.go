package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"latchkey/pam/fleet/service/admission"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// Path is the only one that there is.
const Path = "/v1/ask"

// handler answers questions. Only a connection over which one was answered may be kept: others take
// room, and anyone can open one.
func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path, s.ask)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		mux.ServeHTTP(w, r)
	})
}

// ask answers one question. A request that cannot be opened gets no signed answer, because there
// is no one to seal it to.
func (s *Service) ask(w http.ResponseWriter, r *http.Request) {
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxMessage))
	if err != nil {
		http.Error(w, "too long or cut off", http.StatusBadRequest)
		return
	}
	admission.Asked(r.Context())
	opened, err := wire.Open(request, s.opening)
	if err != nil {
		s.metrics.count("none", wire.Protocol)
		s.Log.Warn("a request that is not a question", "from", r.RemoteAddr, "error", err)
		http.Error(w, "not a question to this fleet", http.StatusBadRequest)
		return
	}
	signing, epoch, known := s.node.Signing()
	if !known {
		http.Error(w, "etcd was never reached", http.StatusServiceUnavailable)
		return
	}
	reply, err := s.reply(r.Context(), opened)
	if err != nil { // not begun, so another service may do it at once
		http.Error(w, "busy", http.StatusServiceUnavailable)
		return
	}
	answer, err := opened.Answer(wire.Answer{Epoch: max(epoch, s.node.Epoch()),
		At: s.store.Config.Clock(), Node: s.Name, Fault: reply.Fault, Text: reply.Text,
		Body: reply.Body}, signing)
	if err != nil {
		s.Log.Error("an answer that cannot be sent", "error", err)
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	s.store.Point(opened.Claimed().Op, "answering")
	w.Header().Set("Content-Type", "application/octet-stream")
	if !s.accept.Crowded() {
		w.Header().Del("Connection")
	}
	w.Write(answer)
}

// reply does what a question asks, and logs it. Its error is admission.ErrBusy: there is no reply.
func (s *Service) reply(ctx context.Context, opened *wire.Opened) (store.Reply, error) {
	began, q := time.Now(), opened.Claimed()
	r, err := s.run(ctx, opened)
	if errors.Is(err, admission.ErrBusy) {
		s.metrics.busy.Add(1)
		return r, err
	}
	if err != nil {
		r = store.Reply{Fault: wire.FaultOf(err), Text: textOf(err)}
	}
	took := time.Since(began)
	s.metrics.asked(q.Op, s.ops[q.Op].Run != nil || s.ops[q.Op].Steps != nil, r.Fault, took)
	log := s.Log.Info
	if r.Fault != wire.Done {
		log = s.Log.Warn
	}
	log("question", "op", q.Op, "host", q.Host, "user", q.User, "service", q.Service,
		"from", q.From, "fault", string(r.Fault), "text", r.Text, "repeated", err == nil && !r.Fresh,
		"ms", took.Milliseconds())
	return r, nil
}

// run does what a question asks, within bounds. A crash in it is a fault like any other.
func (s *Service) run(ctx context.Context, opened *wire.Opened) (r store.Reply, err error) {
	defer func() {
		if crash := recover(); crash != nil {
			err = wire.Errorf(wire.Internal, "crashed: %v", crash)
			s.Log.Error("crashed", "op", opened.Claimed().Op, "why", fmt.Sprint(crash))
		}
	}()
	c := &Call{service: s, ctx: ctx, opened: opened, q: opened.Claimed(), since: s.node.Mark(),
		came: s.store.Config.Clock()}
	op, known := s.ops[c.q.Op]
	switch {
	case !known:
		return r, wire.Errorf(wire.Protocol, "no such operation")
	case op.Steps != nil:
		c.role = op.Role
		return op.Steps(c)
	}
	c.role = op.Role
	return c.Once(op.Run)
}
