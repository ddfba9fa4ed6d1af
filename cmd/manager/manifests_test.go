package main

import (
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"

	"github.com/experience-slo/operator/hack/parts"
)

// manifests are rendered objects.
type manifests []string

// render builds a folder of config as kubectl apply -k does.
func render(t *testing.T, folder string) manifests {
	t.Helper()
	programs, err := parts.Find()
	if err != nil {
		t.Fatal(err)
	}
	var complaint strings.Builder
	cmd := exec.CommandContext(t.Context(), programs.Path(parts.Kubectl), "kustomize", "../../config/"+folder)
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("build %s: %v: %s", folder, err, complaint.String())
	}
	return strings.Split(string(text), "\n---\n")
}

// all gives the rendered objects of one kind.
func all[T any](t *testing.T, objects manifests, kind string) []T {
	t.Helper()
	var out []T
	for _, text := range objects {
		if !strings.Contains("\n"+text, "\nkind: "+kind+"\n") {
			continue
		}
		var object T
		if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
			t.Fatalf("decode %s: %v", kind, err)
		}
		out = append(out, object)
	}
	if len(out) == 0 {
		t.Fatalf("no %s is rendered", kind)
	}
	return out
}

// TestDeploymentRunsTheManager checks that what the manifests say fits what the
// program reads: flags, ports, environment and names.
func TestDeploymentRunsTheManager(t *testing.T) {
	objects := render(t, "default")
	deployment := all[appsv1.Deployment](t, objects, "Deployment")[0]
	container := deployment.Spec.Template.Spec.Containers[0]
	downward := map[string]string{"metadata.namespace": deployment.Namespace, "spec.serviceAccountName": deployment.Spec.Template.Spec.ServiceAccountName}
	getenv := func(key string) string {
		at := slices.IndexFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == key })
		if at < 0 {
			return ""
		}
		return downward[container.Env[at].ValueFrom.FieldRef.FieldPath]
	}
	s, err := parse(container.Args, getenv, io.Discard)
	if err != nil {
		t.Fatalf("the manager refuses its arguments: %v", err)
	}
	ports := map[string]string{}
	for _, p := range container.Ports {
		ports[p.Name] = fmt.Sprintf(":%d", p.ContainerPort)
	}
	type shape struct{ Namespace, ServiceAccount, Metrics, Probes, Web, Liveness, Readiness string }
	want := shape{
		Namespace: defaultNamespace, ServiceAccount: defaultServiceAccount, Metrics: ports["metrics"], Probes: ports["health"], Web: ports["web"],
		Liveness: "/healthz@health", Readiness: "/readyz@health",
	}
	got := shape{
		Namespace: s.namespace, ServiceAccount: s.serviceAccount, Metrics: s.metricsAddress, Probes: s.probeAddress, Web: s.webAddress,
		Liveness: probe(container.LivenessProbe), Readiness: probe(container.ReadinessProbe),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifests and program differ: -want, +got:\n%s", diff)
	}
	accounts := all[corev1.ServiceAccount](t, objects, "ServiceAccount")
	if accounts[0].Name != s.serviceAccount || accounts[0].Namespace != s.namespace {
		t.Errorf("the service account is %s/%s", accounts[0].Namespace, accounts[0].Name)
	}
	checkServices(t, all[corev1.Service](t, objects, "Service"), &deployment.Spec.Template)
}

// checkServices checks that services lead to ports of the pod.
func checkServices(t *testing.T, services []corev1.Service, pod *corev1.PodTemplateSpec) {
	t.Helper()
	got := map[string]string{}
	for _, service := range services {
		if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)) {
			t.Errorf("the service %s selects %v, which the pod does not have", service.Name, service.Spec.Selector)
		}
		target := service.Spec.Ports[0].TargetPort.String()
		if !slices.ContainsFunc(pod.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == target }) {
			t.Errorf("the service %s leads to the port %s, which the pod does not have", service.Name, target)
		}
		got[service.Name] = fmt.Sprintf("%d to %s", service.Spec.Ports[0].Port, target)
	}
	want := map[string]string{"experience-slo-controller-manager-metrics": "8443 to metrics", "experience-slo-web": "80 to web"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("services: -want, +got:\n%s", diff)
	}
}

func probe(p *corev1.Probe) string { return p.HTTPGet.Path + "@" + p.HTTPGet.Port.String() }

// TestPodIsRestricted checks what Pod Security's level "restricted" asks for,
// since the namespace enforces it.
func TestPodIsRestricted(t *testing.T) {
	objects := render(t, "default")
	pod := all[appsv1.Deployment](t, objects, "Deployment")[0].Spec.Template.Spec
	if level := all[corev1.Namespace](t, objects, "Namespace")[0].Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Errorf("the namespace enforces %q", level)
	}
	want := &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true), RunAsNonRoot: new(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	if diff := cmp.Diff(want, pod.Containers[0].SecurityContext); diff != "" {
		t.Errorf("container: -want, +got:\n%s", diff)
	}
	wantPod := &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
	if diff := cmp.Diff(wantPod, pod.SecurityContext); diff != "" {
		t.Errorf("pod: -want, +got:\n%s", diff)
	}
	if pod.Containers[0].Resources.Limits.Memory().IsZero() || pod.Containers[0].Resources.Requests.Cpu().IsZero() {
		t.Errorf("the container has no memory limit or no CPU request")
	}
	if *pod.TerminationGracePeriodSeconds <= 30 {
		t.Errorf("the pod has %d s to end, the controllers alone have 30", *pod.TerminationGracePeriodSeconds)
	}
}

// verbsOn are what rules let one do to a core resource.
func verbsOn(resource string, rules []rbacv1.PolicyRule) []string {
	var verbs []string
	for _, rule := range rules {
		named := slices.Contains(rule.Resources, resource) || slices.Contains(rule.Resources, "*")
		if named && slices.Contains(rule.APIGroups, "") {
			verbs = append(verbs, rule.Verbs...)
		}
	}
	return verbs
}

// keyRights gives the verbs that roles have on Secrets and ConfigMaps.
func keyRights(t *testing.T, objects manifests) map[string]map[string][]string {
	t.Helper()
	rights := map[string]map[string][]string{}
	for _, role := range all[rbacv1.ClusterRole](t, objects, "ClusterRole") {
		for _, resource := range []string{"secrets", "configmaps"} {
			verbs := verbsOn(resource, role.Rules)
			if len(verbs) == 0 {
				continue
			}
			if rights[role.Name] == nil {
				rights[role.Name] = map[string][]string{}
			}
			rights[role.Name][resource] = verbs
		}
	}
	return rights
}

func TestSecretsAreReadOneNamespaceAtATime(t *testing.T) {
	objects := render(t, "default")
	rights := keyRights(t, objects)
	const reader, writer = "experience-slo-source-reader", "experience-slo-rules-writer"
	want := map[string]map[string][]string{
		reader: {"secrets": {"get"}, "configmaps": {"get"}},
		writer: {"configmaps": {"get", "list", "create", "patch", "delete"}},
	}
	if diff := cmp.Diff(want, rights); diff != "" {
		t.Errorf("roles with rights on Secrets or ConfigMaps: -want, +got:\n%s", diff)
	}
	for _, binding := range all[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding") {
		if rights[binding.RoleRef.Name] != nil {
			t.Errorf("%s binds %s in every namespace", binding.Name, binding.RoleRef.Name)
		}
	}
	bound := map[string]string{}
	for _, b := range all[rbacv1.RoleBinding](t, objects, "RoleBinding") {
		if rights[b.RoleRef.Name] != nil {
			bound[b.RoleRef.Name] = b.Namespace
		}
	}
	if diff := cmp.Diff(map[string]string{reader: defaultNamespace, writer: defaultNamespace}, bound); diff != "" {
		t.Errorf("namespaces in which they are bound: -want, +got:\n%s", diff)
	}
}

// TestBindingsHold checks that each binding names a role that is rendered and the
// manager's own account: a prefix that reached one end alone would break it.
func TestBindingsHold(t *testing.T) {
	objects := render(t, "default")
	roles := map[rbacv1.RoleRef]bool{}
	for _, role := range all[rbacv1.ClusterRole](t, objects, "ClusterRole") {
		roles[rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name}] = true
	}
	for _, role := range all[rbacv1.Role](t, objects, "Role") {
		roles[rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name}] = true
	}
	manager := []rbacv1.Subject{{Kind: "ServiceAccount", Name: defaultServiceAccount, Namespace: defaultNamespace}}
	check := func(name string, ref rbacv1.RoleRef, subjects []rbacv1.Subject) {
		if !roles[ref] {
			t.Errorf("%s refers to %s %s, which does not exist", name, ref.Kind, ref.Name)
		}
		if diff := cmp.Diff(manager, subjects); diff != "" {
			t.Errorf("%s: -want, +got:\n%s", name, diff)
		}
	}
	for _, b := range all[rbacv1.ClusterRoleBinding](t, objects, "ClusterRoleBinding") {
		check(b.Name, b.RoleRef, b.Subjects)
	}
	for _, b := range all[rbacv1.RoleBinding](t, objects, "RoleBinding") {
		check(b.Name, b.RoleRef, b.Subjects)
	}
}

func TestPeopleGetTheirRoles(t *testing.T) {
	const aggregate = "rbac.authorization.k8s.io/aggregate-to-"
	want := map[string][]string{
		"experience-slo-objective-viewer-role":           {"view"},
		"experience-slo-objective-editor-role":           {"admin", "edit"},
		"experience-slo-metricsource-viewer-role":        {"view"},
		"experience-slo-metricsource-editor-role":        {"admin", "edit"},
		"experience-slo-clustermetricsource-viewer-role": {"view"},
		"experience-slo-indicator-viewer-role":           {"view"},
		"experience-slo-indicator-editor-role":           {"admin", "edit"},
		"experience-slo-clusterindicator-viewer-role":    {"view"},
		"experience-slo-gate-viewer-role":                {"view"},
		"experience-slo-gate-editor-role":                {"admin", "edit"},
		"experience-slo-journey-viewer-role":             {"view"},
		"experience-slo-journey-editor-role":             {"admin", "edit"},
		"experience-slo-calendar-viewer-role":            {"view"},
		"experience-slo-calendar-editor-role":            {"admin", "edit"},
		"experience-slo-exclusion-viewer-role":           {"view"},
		"experience-slo-exclusion-editor-role":           {"admin", "edit"},
	}
	got := map[string][]string{}
	for _, role := range all[rbacv1.ClusterRole](t, render(t, "default"), "ClusterRole") {
		for _, key := range slices.Sorted(maps.Keys(role.Labels)) {
			if to, found := strings.CutPrefix(key, aggregate); found {
				got[role.Name] = append(got[role.Name], to)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles added to view, edit and admin: -want, +got:\n%s", diff)
	}
}

// TestMonitorSelectsTheService checks that the monitor, which is installed apart,
// finds the service and its port.
func TestMonitorSelectsTheService(t *testing.T) {
	services := all[corev1.Service](t, render(t, "default"), "Service")
	type monitor struct {
		metav1.ObjectMeta `json:"metadata"`
		Spec              struct {
			Selector  metav1.LabelSelector `json:"selector"`
			Endpoints []struct {
				Port        string `json:"port"`
				Scheme      string `json:"scheme"`
				HonorLabels bool   `json:"honorLabels"`
			} `json:"endpoints"`
		} `json:"spec"`
	}
	m := monitor{}
	for _, text := range render(t, "prometheus") {
		if !strings.Contains(text, "kind: ServiceMonitor") {
			continue
		}
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			t.Fatalf("decode monitor: %v", err)
		}
	}
	if len(m.Spec.Endpoints) == 0 {
		t.Fatal("config/prometheus has no ServiceMonitor with an endpoint")
	}
	services = slices.DeleteFunc(services, func(s corev1.Service) bool {
		return s.Namespace != m.Namespace || !labels.SelectorFromSet(m.Spec.Selector.MatchLabels).Matches(labels.Set(s.Labels))
	})
	if len(services) != 1 {
		t.Fatalf("the monitor in %s selects %d services by %v", m.Namespace, len(services), m.Spec.Selector.MatchLabels)
	}
	service := services[0]
	end := m.Spec.Endpoints[0]
	if end.Port != service.Spec.Ports[0].Name || end.Scheme != "https" || !end.HonorLabels {
		t.Errorf("the monitor scrapes %+v of a service with the port %s", end, service.Spec.Ports[0].Name)
	}
}
