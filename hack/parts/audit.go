package parts

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// AuditEvent is one request that the API server has answered.
type AuditEvent struct {
	Verb      string `json:"verb"` // get, list, watch, create, update, patch, delete, deletecollection
	UserAgent string `json:"userAgent"`
	URI       string `json:"requestURI"`
	User      struct {
		Name string `json:"username"`
	} `json:"user"`
	// ImpersonatedUser is whose rights counted, when the request said "as".
	ImpersonatedUser struct {
		Name string `json:"username"`
	} `json:"impersonatedUser"`
	Object struct {
		Group       string `json:"apiGroup"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	Response struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
}

// Writes reports whether the request would change something stored.
func (e *AuditEvent) Writes() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
}

// ReadAudit returns the requests answered so far, oldest first. The API server
// writes an event before it answers, so a request that has returned is there.
func ReadAudit(path string) ([]AuditEvent, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read audit log: %w", err)
	}
	// What follows the last newline is still being written.
	content = content[:bytes.LastIndexByte(content, '\n')+1]
	var events []AuditEvent
	for line := range bytes.Lines(content) {
		var e AuditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("decode audit event %q: %w", line, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// auditFlags are the API server's flags for auditing, none without a policy.
// Blocking writes make counts exact.
func auditFlags(f files) []string {
	if f.auditPolicy == "" {
		return nil
	}
	return []string{
		"--audit-policy-file=" + f.auditPolicy,
		"--audit-log-path=" + f.auditLog,
		"--audit-log-mode=blocking",
		"--audit-log-format=json",
	}
}
