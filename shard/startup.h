/*
 * The steps in which a runtime starts; the control thread walks them, and back when it ends.
 */
#ifndef SHARD_STARTUP_H
#define SHARD_STARTUP_H

#include "shard/control.h"

extern const struct control_step startup_steps[];
extern const unsigned startup_step_count;

#endif
