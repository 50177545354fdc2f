// Golden traces: what goes into an engine and what comes out, as text.
//
//   vm SERIAL NAME [UUID]            a VM is known, or renamed
//   remove SERIAL                    it has gone
//   at MS                            the time of what follows
//   count|member SERIAL FEATURE VALUE [detail=N] [lossy]
//   crossed SERIAL FEATURE VALUE WINDOW_MS [detail=N]
//   tick                             and, a line each after "> ", what the engine says
//   flow SERIAL FEATURE STEP TICKS [detail=N]   so often: 100 ms on, count STEP more, tick
//   score SERIAL                     after "> ", its score and open alerts
//   # comment
#pragma once

#include <string>

namespace kvmsentry {

// TEXT with every line "> ..." replaced by what the engine said, against the library of trace.cc.
std::string Replay(const std::string& text);

}  // namespace kvmsentry
