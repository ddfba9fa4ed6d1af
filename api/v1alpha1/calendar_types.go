package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Weekday is a day of the week.
//
// +kubebuilder:validation:Enum=Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday
type Weekday string

// The days of the week.
const (
	Monday    Weekday = "Monday"
	Tuesday   Weekday = "Tuesday"
	Wednesday Weekday = "Wednesday"
	Thursday  Weekday = "Thursday"
	Friday    Weekday = "Friday"
	Saturday  Weekday = "Saturday"
	Sunday    Weekday = "Sunday"
)

// Weekdays are the days of the week in order.
var Weekdays = []Weekday{Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday}

// OpeningTime is when something opens, by a clock on the wall, from "00:00" to
// "23:59".
//
// +kubebuilder:validation:MinLength=5
// +kubebuilder:validation:MaxLength=5
// +kubebuilder:validation:XValidation:rule="self.matches('^([01][0-9]|2[0-3]):[0-5][0-9]$')",message="write hours and minutes from \"00:00\" to \"23:59\", such as \"08:00\", in quotes"
type OpeningTime string

// ClosingTime is when something closes, by a clock on the wall, from "00:00" to
// "24:00".
//
// +kubebuilder:validation:MinLength=5
// +kubebuilder:validation:MaxLength=5
// +kubebuilder:validation:XValidation:rule="self.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$')",message="write hours and minutes from \"00:00\" to \"24:00\", such as \"18:00\", in quotes"
type ClosingTime string

// WeeklyHours are hours of some days of each week.
type WeeklyHours struct {
	// days are the days on which the hours begin.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=7
	// +listType=set
	// +required
	Days []Weekday `json:"days,omitempty"`

	// open is when the hours begin, such as "08:00".
	// +required
	Open OpeningTime `json:"open,omitempty"`

	// close is when they end, such as "18:00". At or before open it is on the next
	// day; "24:00" is the midnight at the end of the day.
	// +required
	Close ClosingTime `json:"close,omitempty"`
}

// HolidayDate is a date such as "2026-12-25", or "12-25" for that day of every year.
//
// +kubebuilder:validation:MinLength=5
// +kubebuilder:validation:MaxLength=10
// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$')",message="write a date such as \"2026-12-25\", or \"12-25\" for that day of every year, in quotes"
type HolidayDate string

// HolidayHours are hours within one day.
//
// +kubebuilder:validation:XValidation:rule="self.close > self.open",message="close must be after open: the hours of a holiday end with its day, at \"24:00\" at the latest"
type HolidayHours struct {
	// open is when the hours begin, such as "08:00".
	// +required
	Open OpeningTime `json:"open,omitempty"`

	// close is when they end, such as "12:00"; "24:00" is the midnight at the end of
	// the day.
	// +required
	Close ClosingTime `json:"close,omitempty"`
}

// Holiday is a day that is not like others of the week: closed from midnight to
// midnight, or open for hours of its own.
type Holiday struct {
	// date is a date such as "2026-12-25", or "12-25" for that day of every year. A
	// date with a year comes before the same day of every year.
	// +required
	Date HolidayDate `json:"date,omitempty"`

	// name says what day it is.
	// +kubebuilder:validation:MaxLength=128
	// +optional
	Name string `json:"name,omitempty"`

	// hours are those of a short day, instead of those of the week. Without them
	// the whole day is closed.
	// +kubebuilder:validation:MaxItems=4
	// +listType=atomic
	// +optional
	Hours []HolidayHours `json:"hours,omitempty"`
}

// CalendarSpec says when something is open: a shop, a support desk.
type CalendarSpec struct {
	// timeZone is the IANA time zone of the clock on the wall that the hours go by.
	// +kubebuilder:default=UTC
	// +optional
	TimeZone TimeZone `json:"timeZone,omitempty"`

	// weekly are the hours of each week. What no entry holds is closed.
	// +kubebuilder:validation:MaxItems=28
	// +listType=atomic
	// +optional
	Weekly []WeeklyHours `json:"weekly,omitempty"`

	// holidays are days that are not like others of the week.
	// +kubebuilder:validation:MaxItems=366
	// +listType=map
	// +listMapKey=date
	// +optional
	Holidays []Holiday `json:"holidays,omitempty"`

	// iCalendar is a calendar as of RFC 5545, each of whose events is closed: whole
	// days, or from one moment to another. Days that are in holidays too are as these
	// say, except for events that are no whole days.
	// +kubebuilder:validation:MaxLength=65536
	// +optional
	ICalendar string `json:"iCalendar,omitempty"`
}

// CalendarState is what a calendar is at a moment.
//
// +kubebuilder:validation:Enum=Open;Closed
type CalendarState string

const (
	// CalendarOpen is within the hours.
	CalendarOpen CalendarState = "Open"
	// CalendarClosed is outside of them.
	CalendarClosed CalendarState = "Closed"
)

// CalendarStatus says whether it is open.
type CalendarStatus struct {
	// observedGeneration is the generation of the spec that this status is of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// state is Open or Closed, at present.
	// +optional
	State CalendarState `json:"state,omitempty"`

	// nextChange is when it opens or closes next. It is absent where it does not in
	// the year ahead.
	// +optional
	NextChange *metav1.Time `json:"nextChange,omitempty"`

	// conditions are Ready, and Stalled while it holds.
	// +kubebuilder:validation:MaxItems=8
	// +patchMergeKey=type
	// +patchStrategy=merge
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`
}

// Calendar is opening hours: the objectives that refer to it count only minutes
// that are open.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=xcal,categories=experience
// +kubebuilder:printcolumn:name="Time Zone",type=string,JSONPath=`.spec.timeZone`
// +kubebuilder:printcolumn:name="State",type=string,JSONPath=`.status.state`
// +kubebuilder:printcolumn:name="Next Change",type=string,JSONPath=`.status.nextChange`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Why",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Calendar struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the opening hours.
	// +required
	Spec CalendarSpec `json:"spec,omitzero"`

	// status says whether it is open.
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status CalendarStatus `json:"status,omitzero"`
}

// CalendarList is a list of calendars.
//
// +kubebuilder:object:root=true
type CalendarList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Calendar `json:"items"`
}

// CalendarReference names a Calendar in the namespace of the objective.
type CalendarReference struct {
	// name is the name of the Calendar.
	// +required
	Name Name `json:"name,omitempty"`
}

// GetConditions returns the conditions of the status.
func (c *Calendar) GetConditions() []metav1.Condition { return c.Status.Conditions }

// SetConditions replaces the conditions of the status.
func (c *Calendar) SetConditions(conditions []metav1.Condition) { c.Status.Conditions = conditions }
