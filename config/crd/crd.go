// Package crd carries the CustomResourceDefinitions of the operator, so that a
// program can check objects as the API server would, without one.
package crd

import "embed"

// Bases are the definitions, one file of YAML each under bases.
//
//go:embed bases/*.yaml
var Bases embed.FS
