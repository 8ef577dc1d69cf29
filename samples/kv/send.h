/* From what is to go out to a client to what is on its way: takes text, fills sgas, pushes them. */
#ifndef KV_SEND_H
#define KV_SEND_H

struct session;

/* Pushes what there is room for: the rest waits for pushes to end, or the server is starved. */
void send_some(struct session *session);

#endif
