package parts

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// answers returns a check that url answers a GET with 200.
func answers(client *http.Client, url string) func(context.Context) error {
	return func(ctx context.Context) error {
		return request(ctx, client, http.MethodGet, url)
	}
}

// request fails unless the answer is 200, and then quotes it.
func request(ctx context.Context, client *http.Client, method, url string) error {
	_, err := send(ctx, client, method, url, http.NoBody)
	return err
}

// send sends a body of JSON, or none, and returns the answer. It fails unless
// that is 200, and then quotes it.
func send(ctx context.Context, client *http.Client, method, url string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // the body is read to its end below
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %q answered %s: %s", method, url, resp.Status, answer)
	}
	return answer, nil
}

// loopback returns the URL of a port on this machine.
func loopback(scheme string, port int) string {
	return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port)
}
