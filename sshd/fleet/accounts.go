package fleet

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"latchkey/pam/fleet/admin"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/sshd/suite"
)

// Accounts opens the fleet's accounts, as a service does, with the secret of the first service.
func (f *Fleet) Accounts() (admin.Admin, error) {
	if f.accounts != nil {
		return admin.Admin{Store: f.accounts, By: "suite"}, nil
	}
	text, err := os.ReadFile(f.Services[0].Path(folder + "/fleet.key"))
	if err != nil {
		return admin.Admin{}, err
	}
	c := store.Config{Endpoints: f.Etcd.Endpoints(), Clock: time.Now}
	if c.Secret, err = secret.Parse(text); err != nil {
		return admin.Admin{}, err
	}
	if c.TLS, err = f.etcdTLS(); err != nil {
		return admin.Admin{}, err
	}
	f.accounts, err = store.Open(c)
	return admin.Admin{Store: f.accounts, By: "suite"}, err
}

func (f *Fleet) etcdTLS() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Etcd.Cert, f.Etcd.Key)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(f.Etcd.Authority.PEM)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots,
		MinVersion: tls.VersionTLS12}, err
}

// Seed gives users an app each, without enroll: tests need hundreds of users at once, and benches a
// million. It sets their secrets.
func (f *Fleet) Seed(users ...*suite.User) error {
	a, err := f.Accounts()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(),
		time.Minute+time.Duration(len(users))*10*time.Millisecond)
	defer cancel()
	batches := slices.Collect(slices.Chunk(users, batchSize))
	errs := make([]error, len(batches))
	var all sync.WaitGroup
	slots := make(chan struct{}, seeders)
	for i, batch := range batches {
		slots <- struct{}{}
		all.Go(func() {
			errs[i] = seed(ctx, a.Store, batch)
			<-slots
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

const (
	seeders   = 8  // batches at the same time
	batchSize = 40 // users: etcd takes 128 keys in a transaction
)

// seed enrolls users in one transaction.
func seed(ctx context.Context, s *store.Store, users []*suite.User) error {
	needs := []string{store.KeyEpoch}
	records := make([]*record.Record, len(users))
	for i, u := range users {
		device := app()
		u.Secret = base32Text(device.Secret)
		records[i] = &record.Record{Name: u.Name, Devices: []record.Device{device}}
		_, _ = rand.Read(records[i].Enrollment[:])
		needs = append(needs, store.UserKey(u.Name, "record"), store.UserKey(u.Name, "state"),
			store.GoneKey(u.Name))
	}
	return s.Run(ctx, needs, func(t *store.Txn) error {
		k := t.Keyring()
		var errs []error
		for _, r := range records {
			st := state.State{Enrollment: r.Enrollment, Devices: []state.Device{{
				ID: r.Devices[0].ID}}}
			errs = append(errs, k.States.Create(r.Name, st), k.Records.Save(r))
		}
		return errors.Join(errs...)
	})
}

// app is an authenticator app with a new secret.
func app() record.Device {
	d := record.Device{Type: method.TOTP, Label: "phone", Secret: make([]byte, 20),
		Created: time.Now().Truncate(time.Second), Algorithm: "SHA1", Digits: 6,
		Period: 30 * time.Second}
	_, _ = rand.Read(d.Secret)
	_, _ = rand.Read(d.ID[:])
	return d
}

// Size is how large etcd's database is, in bytes.
func (f *Fleet) Size(ctx context.Context) (int64, error) {
	a, err := f.Accounts()
	if err != nil {
		return 0, err
	}
	usage, err := a.Store.Etcd().Usage(ctx)
	return usage.Bytes, err
}
