// Package etcd asks the nodes of an etcd, one after the other, and notices if it was set back.
package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// attempt bounds one request of a login to one node, so that a node that is frozen or cut off costs
// it less than a second.
const attempt = 700 * time.Millisecond

// Cluster is the nodes of etcd. Each has a client of its own: one client for all stays with a node
// that is frozen or cut off from the others.
type Cluster struct {
	nodes   []*clientv3.Client
	first   atomic.Int32 // the node that leads, or that answered last
	history history
}

// window is how many bytes of answers a node may send ahead. Unless it is fixed, gRPC measures
// the connection with a ping for each answer, which took a tenth of the processor time of etcd and
// of the service.
const window = 1 << 20

// Open makes a cluster of the nodes at these URLs; with is nil where etcd has no TLS. It does not
// wait for them.
func Open(endpoints []string, with *tls.Config) (*Cluster, error) {
	c := &Cluster{}
	for _, endpoint := range endpoints {
		node, err := clientv3.New(clientv3.Config{
			Endpoints: []string{endpoint}, TLS: with, Logger: zap.NewNop(),
			MaxUnaryRetries: 1, DialKeepAliveTime: 10 * time.Second,
			DialKeepAliveTimeout: 2 * time.Second,
			DialOptions: []grpc.DialOption{
				grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window),
				grpc.WithConnectParams(grpc.ConnectParams{
					Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6,
						Jitter: 0.2, MaxDelay: time.Second},
					MinConnectTimeout: time.Second,
				})},
		})
		if err != nil {
			c.Close()
			return nil, err
		}
		c.nodes = append(c.nodes, node)
	}
	if len(c.nodes) == 0 {
		return nil, errors.New("no node of etcd is named")
	}
	return c, nil
}

// Close closes the connections.
func (c *Cluster) Close() {
	for _, node := range c.nodes {
		node.Close()
	}
}

// ErrUnreached is of a request that no node has answered: whether it was done is not known.
var ErrUnreached = errors.New("etcd does not answer")

// ask makes a request of one node after the other, beginning with the one that leads, or that
// answered last.
func (c *Cluster) ask(ctx context.Context, limit time.Duration,
	request func(context.Context, *clientv3.Client) error) error {
	first := int(c.first.Load())
	why := ErrUnreached
	for i := range c.nodes {
		n := (first + i) % len(c.nodes)
		err := c.try(ctx, limit, c.nodes[n], request)
		if err == nil || !mayPass(err) {
			c.first.Store(int32(n))
			return err
		}
		why = errors.Join(ErrUnreached, err)
		if ctx.Err() != nil {
			break
		}
	}
	return why
}

func (c *Cluster) try(ctx context.Context, limit time.Duration, node *clientv3.Client,
	request func(context.Context, *clientv3.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return request(ctx, node)
}

// mayPass reports whether another node, or the same one later, may answer.
func mayPass(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return true
	}
	var said rpctypes.EtcdError
	code := status.Code(err)
	if errors.As(err, &said) {
		code = said.Code()
	}
	switch code {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown:
		return true
	}
	return errors.Is(err, rpctypes.ErrTooManyRequests)
}

// Full reports whether etcd refused to write because its quota is used up.
func Full(err error) bool { return errors.Is(err, rpctypes.ErrNoSpace) }

// Transact runs one transaction. Nothing in it is ever serializable in etcd's sense, which may be
// answered by a node that was cut off long ago: reads wait until a majority confirms them.
func (c *Cluster) Transact(ctx context.Context, when []clientv3.Cmp, then []clientv3.Op,
	otherwise ...clientv3.Op) (answer *clientv3.TxnResponse, err error) {
	err = c.read(ctx, attempt, func(ctx context.Context, node *clientv3.Client) (*header, error) {
		answer, err = node.Txn(ctx).If(when...).Then(then...).Else(otherwise...).Commit()
		return (*etcdserverpb.TxnResponse)(answer).GetHeader(), err
	})
	return answer, err
}

// Follow is Transact for a transaction that writes. It writes key, too, and only if the last one of
// this process that did so is still in the database: after a restore, the writes of others may have
// brought the revision back to what this process has seen. If it is gone, SetBack reports that.
func (c *Cluster) Follow(ctx context.Context, key string, when []clientv3.Cmp,
	then []clientv3.Op) (*clientv3.TxnResponse, error) {
	before := c.history.now()
	when = append(when, clientv3.Compare(clientv3.ModRevision(key), ">", before.written-1))
	answer, err := c.Transact(ctx, when, append(then, clientv3.OpPut(key, "")), clientv3.OpGet(key))
	if err == nil {
		c.history.follow(answer, before)
	}
	return answer, err
}

type header = etcdserverpb.ResponseHeader

// read is ask for a request whose answer says how old the database is.
func (c *Cluster) read(ctx context.Context, limit time.Duration,
	request func(context.Context, *clientv3.Client) (*header, error)) error {
	var of *header
	seen := c.history.now()
	err := c.ask(ctx, limit, func(ctx context.Context, node *clientv3.Client) (err error) {
		of, err = request(ctx, node)
		return err
	})
	if err == nil {
		c.history.note(of.Revision, seen)
	}
	return err
}

// listing bounds the request for a page of a list, for which no login waits: a node counts all keys
// of the range.
const listing = 5 * time.Second

// List returns the first keys of a range, at most this many, and whether there are others. Like
// Transact, it waits until a majority confirms them.
func (c *Cluster) List(ctx context.Context, from, end string, most int64) (
	page *clientv3.GetResponse, err error) {
	err = c.read(ctx, listing, func(ctx context.Context, node *clientv3.Client) (*header, error) {
		page, err = node.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(most),
			clientv3.WithKeysOnly())
		return (*etcdserverpb.RangeResponse)(page).GetHeader(), err
	})
	return page, err
}

// Usage is how much room the database takes.
type Usage struct {
	Bytes int64 // on the node where it is largest
	// Full: it has reached etcd's own quota, and takes nothing more until an administrator has
	// made room and disarmed the alarm.
	Full bool
}

// Usage asks every node. From then on the node that leads is asked first, because every other one
// would ask it.
func (c *Cluster) Usage(ctx context.Context) (u Usage, err error) {
	var term uint64 // a node that was cut off may believe that it still leads
	for i, node := range c.nodes {
		failed := c.try(ctx, attempt, node, func(ctx context.Context,
			node *clientv3.Client) error {
			status, err := node.Status(ctx, node.Endpoints()[0])
			if err != nil {
				return err
			}
			u.Bytes = max(u.Bytes, status.DbSize)
			u.Full = u.Full || slices.ContainsFunc(status.Errors, noSpace)
			if status.Leader == status.Header.MemberId && status.RaftTerm > term {
				term = status.RaftTerm
				c.first.Store(int32(i))
			}
			return nil
		})
		if failed != nil {
			err = failed
		}
	}
	if u.Bytes > 0 {
		return u, nil
	}
	return Usage{}, err
}

// noSpace reports whether a node's words are about its alarm for lack of room.
func noSpace(words string) bool { return strings.Contains(words, "NOSPACE") }

// Compact forgets all values older than a revision; 0 is none. Another program may have forgotten
// more.
func (c *Cluster) Compact(ctx context.Context, revision int64) error {
	if revision == 0 {
		return nil
	}
	err := c.ask(ctx, attempt, func(ctx context.Context, node *clientv3.Client) error {
		_, err := node.Compact(ctx, revision)
		return err
	})
	if errors.Is(err, rpctypes.ErrCompacted) {
		return nil
	}
	return err
}
