// Package slo is the arithmetic of experience objectives: attainment, error
// budget, burn rate, alert tiers, confidence intervals, windows, calendars and
// the units people read. It takes values and `now`, returns values, and uses
// the standard library alone, so every figure the operator shows can be checked
// here without a cluster, a clock or a network.
//
// Every indicator is points earned over points possible. Attainments and
// targets are therefore always ratios in [0,1], whatever the indicator measures;
// only Unit knows how a ratio is written for people.
package slo
