package controllers

import (
	"context"
	"fmt"
	"maps"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/rules"
)

// writerRole is the shipped ClusterRole that lets the operator keep ConfigMaps of
// rules in a namespace whose owner binds it there.
const writerRole = "experience-slo-rules-writer"

// shelfAgain is how often ConfigMaps are looked at. They are not watched: that
// would need the right to see all of a namespace's.
const shelfAgain = time.Minute

// RuleFileReconciler keeps the ConfigMaps with the rule files of the objectives
// whose source has that output: a few for each source and namespace.
type RuleFileReconciler struct {
	client.Client
	wisher *wisher
	board  *rulesBoard
	live   client.Client
	// journeys takes what became of the rules of journeys.
	journeys *journeyRules
	places   *rulePlaces
	stock    *ruleStock
	// news tells of objectives whose plans were bound, found of shelves that an
	// earlier process left.
	news  chan event.TypedGenericEvent[types.NamespacedName]
	found chan event.TypedGenericEvent[shelf]
}

// Reconcile brings the ConfigMaps of one shelf to what its objectives and their
// source say.
func (r *RuleFileReconciler) Reconcile(ctx context.Context, s shelf) (ctrl.Result, error) {
	if err := r.places.ready(ctx); err != nil {
		return ctrl.Result{}, err
	}
	books, err := r.books(ctx, s)
	if err != nil {
		return ctrl.Result{}, err
	}
	place := ""
	if len(books) > 0 {
		place = r.placeOf(books[0].wish.source)
	}
	if place != "" {
		if err := r.fill(ctx, s, place, books); err != nil {
			return ctrl.Result{}, err
		}
	}
	left, err := r.clear(ctx, s, place)
	if err != nil || (place == "" && !left) {
		return ctrl.Result{}, err
	}
	return ctrl.Result{RequeueAfter: shelfAgain}, nil
}

// books are the objectives of a shelf that shall have their rules on it.
func (r *RuleFileReconciler) books(ctx context.Context, s shelf) ([]*book, error) {
	found := &v1alpha1.ObjectiveList{}
	if err := r.List(ctx, found, client.InNamespace(s.Namespace), client.MatchingFields{sourceIndex: s.Source.String()}); err != nil {
		return nil, fmt.Errorf("list objectives of %s: %w", s.Source, err)
	}
	var out []*book
	for i := range found.Items {
		o := &found.Items[i]
		wish, err := r.wisher.of(ctx, o)
		if err != nil {
			return nil, err
		}
		if wish.output == v1alpha1.RulesOutputConfigMap {
			out = append(out, r.book(o, wish))
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	journeys, err := r.journeyBooks(ctx, s)
	return append(out, journeys...), err
}

func (r *RuleFileReconciler) book(o *v1alpha1.Objective, w wish) *book {
	key := client.ObjectKeyFromObject(o)
	out := &book{key: key, file: rules.FileName(key), wish: w, state: w.state(o), told: r.board.put}
	if w.plan != nil {
		out.render = func() ([]monitoringv1.RuleGroup, error) { return rules.Groups(w.plan, w.settings()) }
	}
	return out
}

// placeOf is the namespace of a source's ConfigMaps.
func (r *RuleFileReconciler) placeOf(source sourceObject) string {
	switch spec := source.SourceSpec(); {
	case source.GetNamespace() != "":
		return source.GetNamespace()
	case spec.Rules.Namespace != "":
		return string(spec.Rules.Namespace)
	default:
		return r.places.own
	}
}

// fill writes the ConfigMaps of a shelf in a place and notes the outcome of each
// objective.
func (r *RuleFileReconciler) fill(ctx context.Context, s shelf, place string, books []*book) error {
	current, err := r.write(ctx, s, place, books)
	if current {
		return nil
	}
	reason, message := "", ""
	if err != nil {
		if reason, message = refusal(err); reason == "" {
			return err
		}
	}
	for _, b := range books {
		if reason != "" {
			b.state = b.state.failed(reason, "%s", r.refused(place, reason, message))
		}
		b.told(ctx, b.key, b.state)
	}
	return nil
}

func (r *RuleFileReconciler) refused(place, reason, message string) string {
	switch reason {
	case v1alpha1.ReasonSinkForbidden:
		return fmt.Sprintf("the operator may not write ConfigMaps in namespace %q: run: kubectl create rolebinding %s --clusterrole=%s --serviceaccount=%s:%s --namespace=%s",
			place, writerRole, writerRole, r.places.own, r.wisher.gather.account, place)
	case v1alpha1.ReasonSinkUnavailable:
		return fmt.Sprintf("namespace %q, where the source wants its ConfigMaps of rules, does not exist: create it or change spec.rules.namespace", place)
	default:
		return message
	}
}

// write brings the ConfigMaps up to date. When nothing changed on either side, it
// reads their metadata and no more, and says that they were current.
func (r *RuleFileReconciler) write(ctx context.Context, s shelf, place string, books []*book) (current bool, err error) {
	versions, err := r.versions(ctx, s, place)
	if err != nil || r.stock.isCurrent(s, place, versions, books) {
		return err == nil, err
	}
	there, err := r.read(ctx, s, place)
	if err != nil {
		return false, err
	}
	if err := r.places.note(ctx, s, place); err != nil {
		return false, err
	}
	if err := r.arrange(ctx, s, place, books, there); err != nil {
		return false, err
	}
	if versions, err = r.versions(ctx, s, place); err != nil {
		return false, err
	}
	r.stock.keep(s, place, versions, books)
	return false, nil
}

// arrange writes the ConfigMaps that shall be there, and then deletes the others.
func (r *RuleFileReconciler) arrange(ctx context.Context, s shelf, place string, books []*book, there map[string]*corev1.ConfigMap) error {
	for _, shard := range rules.Shards(rules.ConfigMapPrefix(s.Source, s.Namespace), r.stock.render(s, books, files(there))) {
		want, err := configMap(s, place, shard, books[0].wish.settings().ObjectLabels)
		if err == nil {
			err = r.put(ctx, there[shard.Name], want, books)
		}
		if err != nil {
			return err
		}
		delete(there, shard.Name)
	}
	for _, extra := range there {
		if err := remove(ctx, r.live, extra); err != nil {
			return fmt.Errorf("delete ConfigMap %s/%s: %w", place, extra.Name, err)
		}
	}
	return nil
}

// read gives a shelf's ConfigMaps by name.
func (r *RuleFileReconciler) read(ctx context.Context, s shelf, place string) (map[string]*corev1.ConfigMap, error) {
	list := &corev1.ConfigMapList{}
	if err := r.live.List(ctx, list, client.InNamespace(place), s.labels()); err != nil {
		return nil, fmt.Errorf("list ConfigMaps of rules in %q: %w", place, err)
	}
	out := map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		out[list.Items[i].Name] = &list.Items[i]
	}
	return out, nil
}

// files are those of some ConfigMaps, by name.
func files(there map[string]*corev1.ConfigMap) map[string]string {
	out := map[string]string{}
	for _, o := range there {
		maps.Copy(out, o.Data)
	}
	return out
}

// versions are those of a shelf's ConfigMaps, by name.
func (r *RuleFileReconciler) versions(ctx context.Context, s shelf, place string) (map[string]string, error) {
	list := metadataOf("ConfigMapList")
	if err := r.live.List(ctx, list, client.InNamespace(place), s.labels()); err != nil {
		return nil, fmt.Errorf("list ConfigMaps of rules in %q: %w", place, err)
	}
	out := map[string]string{}
	for i := range list.Items {
		out[list.Items[i].Name] = list.Items[i].ResourceVersion
	}
	return out, nil
}

// put writes one ConfigMap unless it is as it shall be, and leaves one alone that
// is somebody else's.
func (r *RuleFileReconciler) put(ctx context.Context, found, want *corev1.ConfigMap, books []*book) error {
	name := want.Namespace + "/" + want.Name
	foreign, err := r.foreign(ctx, found, want)
	if err != nil {
		return fmt.Errorf("get ConfigMap %s: %w", name, err)
	}
	note(shelved(books, want), name, foreign)
	if foreign || (found != nil && marked(found, want) && equality.Semantic.DeepEqual(found.Data, want.Data)) {
		return nil
	}
	if err := r.apply(ctx, want); err != nil {
		return fmt.Errorf("apply ConfigMap %s: %w", name, err)
	}
	ctrl.LoggerFrom(ctx).Info("rule files written", "configMap", name, "files", len(want.Data))
	return nil
}

// note gives objectives the state of the ConfigMap that holds their files.
func note(books []*book, name string, foreign bool) {
	for _, b := range books {
		switch {
		case foreign:
			b.state = b.state.failed(v1alpha1.ReasonSinkConflict, "ConfigMap %s is not the operator's, which leaves it alone: delete or rename it", name)
		case b.render != nil && b.state.State != rulesFailed:
			b.state = b.state.applied(b.group, fmt.Sprintf("check that its Prometheus reads the files of ConfigMap %s (rule_files) and reloads when they change", name))
		}
	}
}

// apply writes a ConfigMap. A file that somebody else added is not the operator's
// field, so that it takes a patch to take it out.
func (r *RuleFileReconciler) apply(ctx context.Context, want *corev1.ConfigMap) error {
	got, err := applyTo(ctx, r.live, want)
	if err != nil || equality.Semantic.DeepEqual(got.Data, want.Data) {
		return err
	}
	mended := got.DeepCopy()
	mended.Data = want.Data
	return r.live.Patch(ctx, mended, client.MergeFromWithOptions(got, client.MergeFromWithOptimisticLock{}), fieldOwner)
}

// foreign says whether somebody else has a ConfigMap of that name.
func (r *RuleFileReconciler) foreign(ctx context.Context, found, want *corev1.ConfigMap) (bool, error) {
	if found != nil {
		return false, nil
	}
	other := &corev1.ConfigMap{}
	err := r.live.Get(ctx, client.ObjectKeyFromObject(want), other)
	return err == nil && !isOurs(other), client.IgnoreNotFound(err)
}

// shelved are the objectives whose files a ConfigMap holds.
func shelved(books []*book, o *corev1.ConfigMap) []*book {
	var out []*book
	for _, b := range books {
		if _, ok := o.Data[b.file]; ok {
			out = append(out, b)
		}
	}
	return out
}

func configMap(s shelf, place string, shard rules.Shard, extra map[string]string) (*corev1.ConfigMap, error) {
	labels := map[string]string{}
	maps.Copy(labels, extra)
	maps.Copy(labels, s.labels())
	out := &corev1.ConfigMap{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: place, Name: shard.Name, Labels: labels, Annotations: map[string]string{sourceAnnotation: s.Source.Name},
		},
		Data: shard.Data,
	}
	return out, sign(out)
}

// clear deletes the ConfigMaps of a shelf in all places but one. It says whether
// some are left where the operator may not delete them any more.
func (r *RuleFileReconciler) clear(ctx context.Context, s shelf, keep string) (left bool, err error) {
	for _, place := range r.places.of(s) {
		if place == keep {
			continue
		}
		err := r.empty(ctx, s, place)
		if apierrors.IsForbidden(err) {
			ctrl.LoggerFrom(ctx).Info("the operator may not delete ConfigMaps of rules any more", "place", place)
			left = true
			continue
		}
		if err != nil {
			return true, fmt.Errorf("delete ConfigMaps of rules in %q: %w", place, err)
		}
		if err := r.places.drop(ctx, s, place); err != nil {
			return true, err
		}
	}
	if keep == "" {
		r.stock.forget(s)
	}
	return left, nil
}

// empty deletes the ConfigMaps of a shelf in a place.
func (r *RuleFileReconciler) empty(ctx context.Context, s shelf, place string) error {
	there, err := r.read(ctx, s, place)
	if err != nil {
		return err
	}
	for _, o := range there {
		if err := remove(ctx, r.live, o); err != nil {
			return err
		}
	}
	ctrl.LoggerFrom(ctx).Info("rule files removed", "place", place, "configMaps", len(there))
	return nil
}
