// The certificate that the server shows: a good one, or one of the broken kinds that clients must notice.

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	certificateGood      = "good"
	certificateExpired   = "expired"
	certificateOtherName = "other-name"
)

var certificateKinds = []string{certificateGood, certificateExpired, certificateOtherName}

// identity is what the server proves itself with: a certificate that is its own authority.
type identity struct {
	certificate tls.Certificate
}

// newIdentity makes a certificate of the kind, and its key.
func newIdentity(kind string, now time.Time) (*identity, error) {
	if !slices.Contains(certificateKinds, kind) {
		return nil, fmt.Errorf("no kind of certificate is named %q; there are: %s", kind, strings.Join(certificateKinds, ", "))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "vcenter.lab", Organization: []string{"lab"}},
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.AddDate(1, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"localhost", "vcenter.lab"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	switch kind {
	case certificateExpired:
		template.NotBefore, template.NotAfter = now.AddDate(-1, 0, 0), now.Add(-24*time.Hour)
	case certificateOtherName:
		template.DNSNames, template.IPAddresses = []string{"other.lab"}, nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}, nil
}

func (i *identity) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.certificate.Certificate[0]}))
}

// fingerprint is the SHA-256 of the certificate as vSphere's clients show it: pairs of digits between colons.
func (i *identity) fingerprint() string {
	sum := sha256.Sum256(i.certificate.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}
