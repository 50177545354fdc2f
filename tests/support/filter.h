// A filter of tests that matches none: a renamed test must not drop out of every run unseen.
#pragma once

namespace kvmsentry {

// Whether each positive pattern of GoogleTest's filter matches a test. Says on standard error which
// does not. Call it after InitGoogleTest().
bool EachPatternMatches();

}  // namespace kvmsentry
