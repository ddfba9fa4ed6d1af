package parts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// auditPolicy logs who asked for what and the answer's code, once for each
// request. Leader election's renewals and the server's own requests are not
// anybody's writes.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: Metadata
`

// files are what an API server reads at its start.
type files struct {
	certDir, tokens, serviceAccountKey string
	auditPolicy, auditLog              string // empty without audit
}

// writeFiles writes the API server's files, and keeps the signing key of an
// earlier start so that the tokens it gave out stay good.
func (c *ControlPlane) writeFiles(audit bool) (files, error) {
	f := files{
		certDir:           filepath.Join(c.Dir, "certs"),
		tokens:            filepath.Join(c.Dir, "tokens.csv"),
		serviceAccountKey: filepath.Join(c.Dir, "service-account.key"),
	}
	tokens := adminToken + `,admin,admin,"system:masters"` + "\n"
	if err := os.WriteFile(f.tokens, []byte(tokens), 0o600); err != nil {
		return files{}, fmt.Errorf("write tokens: %w", err)
	}
	if err := ensureKey(f.serviceAccountKey); err != nil {
		return files{}, err
	}
	if !audit {
		return f, nil
	}
	c.AuditLog = filepath.Join(c.Dir, "audit.jsonl")
	f.auditLog, f.auditPolicy = c.AuditLog, filepath.Join(c.Dir, "audit-policy.yaml")
	if err := os.WriteFile(f.auditPolicy, []byte(auditPolicy), 0o600); err != nil {
		return files{}, fmt.Errorf("write audit policy: %w", err)
	}
	return f, nil
}

// ensureKey writes a new private key to path unless there is one.
func ensureKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("generate key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return nil
}

// WriteKubeconfig writes a kubeconfig with the access of config to path. An
// impersonated user stays impersonated, so a program that is given the file has
// that user's rights.
func WriteKubeconfig(path string, config *rest.Config) error {
	const name = "experience-slo"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{
		Token:             config.BearerToken,
		Impersonate:       config.Impersonate.UserName,
		ImpersonateGroups: config.Impersonate.Groups,
	}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		return fmt.Errorf("write kubeconfig %q: %w", path, err)
	}
	return nil
}

// stateDir returns the folder to keep state in, and whether it is a temporary one.
func stateDir(dir, kind string) (string, bool, error) {
	if dir == "" {
		dir, err := os.MkdirTemp("", "experience-slo-"+kind+"-")
		if err != nil {
			return "", false, fmt.Errorf("make folder for %s: %w", kind, err)
		}
		return dir, true, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", false, fmt.Errorf("make folder for %s: %w", kind, err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", false, fmt.Errorf("resolve folder for %s: %w", kind, err)
	}
	return dir, false, nil
}
