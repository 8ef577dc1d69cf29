/*
 * Which request goes when, on which connection. Open loop: arrivals take the connection with room
 * that had its turn longest ago; where none has room they stay due, in order, at no cost, and their
 * latency counts on. Closed loop: a connection asks as many at once as may be in flight, when all
 * that it had asked is answered.
 */
#ifndef LOAD_SCHEDULE_H
#define LOAD_SCHEDULE_H

#include "load/generator.h"

/* The phase begins: every connection that can may ask. */
void schedule_begin(struct generator *generator, enum generator_phase phase);
/* The connection may have room now. */
void schedule_offer(struct generator *generator, struct conn *conn);
/* Arrivals that are due go out. */
void schedule_due(struct generator *generator);
/* Everything that the phase wanted to ask was asked, and answered or failed. */
bool schedule_done(const struct generator *generator);
/* What was due and never sent, or sent and never answered, is written down as it is. */
void schedule_give_up(struct generator *generator);
/* It ends before its time: what is due now and was not answered is written down as it is. */
void schedule_cut(struct generator *generator);
/* How long nothing needs to be sent. */
uint64_t schedule_rest_ns(const struct generator *generator);

#endif
