package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pulumi/pulumi/pkg/v3/authhelpers"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/gcsblob"
	_ "gocloud.dev/blob/memblob" // previews of stacks that do not exist
	_ "gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"
)

// storage is the bucket (or folder) that the state lies in, opened a second time for what is ours beside it.
// Pulumi's backend does not give its own bucket away.
type storage struct {
	url string

	lock   sync.Mutex
	bucket *blob.Bucket
	there  atomic.Bool // whether the bucket is known to exist
}

// root is the folder of a `file://` URL, "" for other schemes.
func (s *storage) root() (string, error) {
	path, isFile := strings.CutPrefix(s.url, "file://")
	if !isFile {
		return "", nil
	}
	path, _, _ = strings.Cut(path, "?")
	if path == "~" || strings.HasPrefix(path, "~/") {
		me, err := user.Current()
		if err != nil {
			return "", fmt.Errorf("resolving %s: %w", s.url, err)
		}
		path = filepath.Join(me.HomeDir, strings.TrimPrefix(path, "~"))
	}
	return filepath.Abs(path)
}

// address is the URL for Pulumi's backend: a folder without a second file of attributes beside each file, which
// nobody reads and which doubles the writing.
func (s *storage) address() string {
	if !strings.HasPrefix(s.url, "file://") || strings.Contains(s.url, "metadata=") {
		return s.url
	}
	if strings.Contains(s.url, "?") {
		return s.url + "&metadata=skip"
	}
	return s.url + "?metadata=skip"
}

// makeRoot makes the folder of a `file://` URL.
func (s *storage) makeRoot() error {
	root, err := s.root()
	if err != nil || root == "" {
		return err
	}
	return os.MkdirAll(root, 0o700)
}

// open gives the bucket, or nil when its folder does not exist and may not be made.
func (s *storage) open(ctx context.Context, mayMake bool) (*blob.Bucket, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.bucket != nil {
		return s.bucket, nil
	}
	root, err := s.root()
	if err != nil {
		return nil, err
	}
	if root == "" {
		s.bucket, err = openRemote(ctx, s.url)
		return s.bucket, err
	}
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) && !mayMake {
		return nil, nil
	}
	s.bucket, err = fileblob.OpenBucket(root, &fileblob.Options{
		CreateDir: true, DirFileMode: 0o700, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
	})
	return s.bucket, err
}

// openRemote opens a bucket as Pulumi's own backend does (pkg/v3 v3.259.0 backend/diy/backend.go, newDIYBackend).
func openRemote(ctx context.Context, address string) (*blob.Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("the state's URL is not valid: %w", err)
	}
	mux := blob.DefaultURLMux()
	switch u.Scheme {
	case "s3":
		u.RawQuery = modernS3(u.Query()).Encode()
	case gcsblob.Scheme:
		if mux, err = authhelpers.GoogleCredentialsMux(ctx); err != nil {
			return nil, err
		}
	case azureblob.Scheme:
		mux = &blob.URLMux{}
		mux.RegisterBucket(azureblob.Scheme, &azureblob.URLOpener{
			MakeClient:        azureblob.NewDefaultClient,
			ServiceURLOptions: *azureblob.NewDefaultServiceURLOptions(),
		})
	}
	bucket, err := mux.OpenBucketURL(ctx, u)
	if err != nil {
		return nil, err
	}
	if folder := strings.Trim(u.Path, "/"); folder != "" {
		return blob.PrefixedBucket(bucket, folder+"/"), nil
	}
	return bucket, nil
}

// modernS3 rewrites the parameters of older S3 URLs that Pulumi still takes.
func modernS3(query url.Values) url.Values {
	scheme := "https://"
	if query.Get("disableSSL") == "true" {
		scheme = "http://"
		query.Set("disable_https", "true")
	}
	query.Del("disableSSL")
	endpoint := query.Get("endpoint")
	if endpoint == "" {
		return query
	}
	if !strings.Contains(endpoint, "://") {
		query.Set("endpoint", scheme+endpoint)
	}
	if query.Get("request_checksum_calculation") == "" && os.Getenv("AWS_REQUEST_CHECKSUM_CALCULATION") == "" {
		query.Set("request_checksum_calculation", "when_required")
	}
	return query
}

// patience is how long one answer of a storage or a key service may take; some clients would try for ever.
const patience = 25 * time.Second

// impatient bounds one request. What does not answer in time says so itself.
func impatient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, patience, errSilent)
}

var errSilent = fmt.Errorf("no answer within %d s", int(patience.Seconds()))

func (s *storage) exists(ctx context.Context, key string) (bool, error) {
	ctx, done := impatient(ctx)
	defer done()
	bucket, err := s.open(ctx, false)
	if err != nil || bucket == nil {
		return false, err
	}
	found, err := bucket.Exists(ctx, key)
	if err == nil && !found {
		err = s.confirm(ctx, bucket)
	}
	return found, err
}

// confirm tells a key that is absent from a bucket that is.
func (s *storage) confirm(ctx context.Context, bucket *blob.Bucket) error {
	if root, err := s.root(); err != nil || root != "" || s.there.Load() {
		return err
	}
	found, err := bucket.IsAccessible(ctx)
	if err == nil && !found {
		return fail(codeState, "the bucket of the state does not exist")
	}
	s.there.Store(err == nil)
	return err
}

// read gives nil when there is no such key.
func (s *storage) read(ctx context.Context, key string) ([]byte, error) {
	ctx, done := impatient(ctx)
	defer done()
	bucket, err := s.open(ctx, false)
	if err != nil || bucket == nil {
		return nil, err
	}
	value, err := bucket.ReadAll(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, s.confirm(ctx, bucket)
	}
	return value, err
}

func (s *storage) write(ctx context.Context, key string, value []byte) error {
	ctx, done := impatient(ctx)
	defer done()
	bucket, err := s.open(ctx, true)
	if err != nil {
		return err
	}
	return bucket.WriteAll(ctx, key, value, nil)
}

// create writes only where there is nothing; false when the key is taken.
func (s *storage) create(ctx context.Context, key string, value []byte) (bool, error) {
	ctx, done := impatient(ctx)
	defer done()
	if root, err := s.root(); err != nil || root != "" {
		if err != nil {
			return false, err
		}
		return createFile(filepath.Join(root, filepath.FromSlash(key)), value)
	}
	bucket, err := s.open(ctx, true)
	if err != nil {
		return false, err
	}
	err = bucket.WriteAll(ctx, key, value, &blob.WriterOptions{IfNotExist: true})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		return false, nil
	}
	return err == nil, err
}

// createFile makes a file whole or not at all: fileblob looks and then renames, so that two at once both succeed.
func createFile(path string, value []byte) (bool, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return false, err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), ".draft-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(value)
	if err = errors.Join(err, draft.Close()); err != nil {
		return false, err
	}
	err = os.Link(draft.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

func (s *storage) remove(ctx context.Context, key string) error {
	ctx, done := impatient(ctx)
	defer done()
	bucket, err := s.open(ctx, false)
	if err != nil || bucket == nil {
		return err
	}
	err = bucket.Delete(ctx, key)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil
	}
	return err
}

// list gives the keys below a prefix, in order.
func (s *storage) list(ctx context.Context, prefix string) ([]string, error) {
	ctx, done := impatient(ctx)
	defer done()
	bucket, err := s.open(ctx, false)
	if err != nil || bucket == nil {
		return nil, err
	}
	return steadily(func() ([]string, error) { return listed(ctx, bucket, prefix) })
}

func listed(ctx context.Context, bucket *blob.Bucket, prefix string) ([]string, error) {
	keys := []string{}
	for found := bucket.List(&blob.ListOptions{Prefix: prefix}); ; {
		object, err := found.Next(ctx)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		if !object.IsDir {
			keys = append(keys, object.Key)
		}
	}
}

// attempts is how often a folder is listed in which files vanish. Each is a matter of milliseconds.
const attempts = 4

// steadily lists a folder in which others write at the same time. A write is a temporary file and a rename, and fileblob
// fails when a file that it saw is gone before it looks closer (gocloud.dev blob/fileblob/fileblob.go,
// ListPaged): so it looks again, and at last says what this is.
func steadily[T any](list func() (T, error)) (T, error) {
	found, err := list()
	for again := 1; again < attempts && errors.Is(err, fs.ErrNotExist); again++ {
		found, err = list()
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fail(codeChanging, "the state's folder changed each time it was listed: "+err.Error())
	}
	return found, err
}
