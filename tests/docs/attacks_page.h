// docs/attacks.md: the attacks that scenarios stage.
#pragma once

#include <map>
#include <span>
#include <string>

#include "sensor/spec/library.h"
#include "tests/scenario/parse.h"

namespace kvmsentry {

// What a run of the scenarios took from the act to the alert, by scenario, in words: "3 ms".
using AlertTimes = std::map<std::string, std::string>;

// Of lines "SCENARIO MILLISECONDS", as scenario_test appends them to $KVMSENTRY_ALERT_TIMES. Of
// several of one scenario the last counts; other lines are passed over.
AlertTimes ParseAlertTimes(absl::string_view text);

// LIBRARY is the one that ships. Pure.
std::string AttacksPage(std::span<const scenario::Named> scenarios, const SpecLibrary& library,
                        const AlertTimes& times);

}  // namespace kvmsentry
