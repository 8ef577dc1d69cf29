/* Datagrams that come in fragments, from an open wire end: in any order, some with a part missing,
 * sent twice, or lying over another with other bytes. */
#ifndef TESTS_SIM_FRAGMENTS_H
#define TESTS_SIM_FRAGMENTS_H

#include "plan.h"

struct fragments {
	struct demi_sim *sim;
	struct plan *plan;
	int open_end;
	unsigned sent, whole; /* datagrams; whole: nothing was missing or lay over it */
};

/* One more, to the first host. */
void fragments_send(struct fragments *f);

#endif
