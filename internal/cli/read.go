package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	k8syaml "sigs.k8s.io/yaml"
)

// standardInput is how the command line names it, and stdin how messages do.
const (
	standardInput = "-"
	stdin         = "stdin"
)

// extensions are those of the files that are read in a folder.
var extensions = []string{".json", ".yaml", ".yml"}

// place is where a document begins.
type place struct {
	file string
	line int
}

// String gives "objectives.yaml:12".
func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// manifest is an object and where it was found.
type manifest struct {
	place
	// in is the document that holds the object, and within the path to it there,
	// such as "items[3].".
	in     *document
	within string
	object map[string]any
}

// file is a file's name and content.
type file struct {
	name string
	text []byte
}

// readAll reads the files, the files of the folders, and the standard input, in
// the order in which they are named.
func readAll(paths []string, in io.Reader) ([]file, error) {
	var out []file
	for _, path := range paths {
		if path == standardInput {
			text, err := io.ReadAll(in)
			if err != nil {
				return nil, fmt.Errorf("read standard input: %w", err)
			}
			out = append(out, file{stdin, text})
			continue
		}
		names, err := namesAt(path)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("read manifests: %w", err)
			}
			out = append(out, file{name, text})
		}
	}
	return out, nil
}

// namesAt gives a file itself, and the manifests of a folder in order, those of
// its folders apart.
func namesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read manifests: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read folder: %w", err)
	}
	var out []string
	for _, entry := range entries {
		if entry.Type()&fs.ModeDir == 0 && slices.Contains(extensions, filepath.Ext(entry.Name())) {
			out = append(out, filepath.Join(path, entry.Name()))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read folder %q: no file ends in %s: name a file, or the folder that holds them", path, strings.Join(extensions, ", "))
	}
	return out, nil
}

// document is the text of one object.
type document struct {
	place
	text []byte
	// tree is the text parsed for the lines of its fields, once they are asked for.
	tree *yaml.Node
}

// documents parts a stream where YAML does: at lines that begin with three
// dashes, or are three dots. What holds nothing but comments is left out.
func (f file) documents() []document {
	var out []document
	at := document{place: place{file: f.name}}
	line := 0
	for text := range bytes.Lines(f.text) {
		line++
		if rest, ok := separated(text); ok {
			out = append(out, at)
			at, text = document{place: place{file: f.name}}, rest
		}
		if first := bytes.TrimSpace(text); at.line == 0 && len(first) > 0 && first[0] != '#' {
			at.line = line
		}
		if at.line > 0 {
			at.text = append(at.text, text...)
		}
	}
	return slices.DeleteFunc(append(out, at), func(d document) bool { return d.line == 0 })
}

// separated says whether a line parts two documents, and gives what it holds of
// the second.
func separated(line []byte) ([]byte, bool) {
	if bytes.Equal(bytes.TrimSpace(line), []byte("...")) {
		return nil, true
	}
	rest, ok := bytes.CutPrefix(line, []byte("---"))
	return rest, ok && (len(rest) == 0 || bytes.ContainsAny(rest[:1], " \t\r\n"))
}

var errNoObject = errors.New("there is no object: write apiVersion, kind, metadata and spec")

// mostTold is how much of a decoder's complaints is told: of a file that is no
// manifest it can have one for each line.
const mostTold = 500

// oneLine joins the lines of a text, up to a length.
func oneLine(text string) string {
	end := ""
	if len(text) > mostTold {
		text, end = strings.ToValidUTF8(text[:mostTold], ""), "…"
	}
	return strings.Join(strings.Fields(text), " ") + end
}

// decode reads an object with numbers typed as the API server types them.
func (d document) decode() (map[string]any, error) {
	asJSON, err := k8syaml.YAMLToJSONStrict(d.text)
	if err != nil {
		// Once more with the lines above it, so that the message counts them.
		_, err = k8syaml.YAMLToJSONStrict(append(bytes.Repeat([]byte("\n"), d.line-1), d.text...))
		return nil, fmt.Errorf("decode: %s", oneLine(err.Error()))
	}
	var value any
	if err := utiljson.Unmarshal(asJSON, &value); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errNoObject
	}
	return object, nil
}
