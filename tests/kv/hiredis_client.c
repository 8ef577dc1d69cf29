/*
 * What programs do with hiredis: single commands, binary values, errors, a pipeline, a transaction,
 * a subscription. Exits with 0 when each reply is as expected. hiredis_client ADDRESS PORT
 */
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIPELINE_LEN = 1000 };

static int failures;

static void expect(int good, const char *what, const redisReply *reply)
{
	if (good)
		return;
	failures++;
	fprintf(stderr, "%s: got type %d, \"%s\"\n", what, reply ? reply->type : -1,
		reply && reply->str ? reply->str : "");
}

static redisReply *call(redisContext *context, const char *format, ...)
{
	redisReply *reply;
	va_list list;

	va_start(list, format);
	reply = redisvCommand(context, format, list);
	va_end(list);
	if (reply)
		return reply;
	fprintf(stderr, "%s: %s\n", format, context->errstr);
	exit(1);
}

static void single_commands(redisContext *context)
{
	redisReply *reply = call(context, "SET %s %b", "hi", "a\0b\r\n", (size_t)5);

	expect(reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0, "SET", reply);
	freeReplyObject(reply);
	reply = call(context, "GET hi");
	expect(reply->type == REDIS_REPLY_STRING && reply->len == 5 &&
		       memcmp(reply->str, "a\0b\r\n", 5) == 0,
	       "GET", reply);
	freeReplyObject(reply);
	reply = call(context, "GET nobody");
	expect(reply->type == REDIS_REPLY_NIL, "GET of nothing", reply);
	freeReplyObject(reply);
	reply = call(context, "INCR hi");
	expect(reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "ERR value is not", 16) == 0,
	       "INCR of text", reply);
	freeReplyObject(reply);
}

static void pipeline(redisContext *context)
{
	redisReply *reply = call(context, "DEL counted");

	freeReplyObject(reply);
	for (int i = 0; i < PIPELINE_LEN; i++)
		redisAppendCommand(context, "INCR counted");
	for (int i = 0; i < PIPELINE_LEN; i++) {
		if (redisGetReply(context, (void **)&reply) != REDIS_OK) {
			fprintf(stderr, "pipeline: %s\n", context->errstr);
			exit(1);
		}
		expect(reply->type == REDIS_REPLY_INTEGER && reply->integer == i + 1, "INCR",
		       reply);
		freeReplyObject(reply);
	}
}

static void transaction(redisContext *context)
{
	redisReply *reply;

	freeReplyObject(call(context, "MULTI"));
	freeReplyObject(call(context, "SET one 1"));
	freeReplyObject(call(context, "SET two 2"));
	freeReplyObject(call(context, "MGET one two none"));
	reply = call(context, "EXEC");
	expect(reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
		       reply->element[2]->elements == 3 &&
		       strcmp(reply->element[2]->element[1]->str, "2") == 0 &&
		       reply->element[2]->element[2]->type == REDIS_REPLY_NIL,
	       "EXEC", reply);
	freeReplyObject(reply);
}

static void subscription(redisContext *context, redisContext *other)
{
	redisReply *reply = call(context, "SUBSCRIBE channel");

	expect(reply->type == REDIS_REPLY_ARRAY && reply->element[2]->integer == 1, "SUBSCRIBE",
	       reply);
	freeReplyObject(reply);
	reply = call(other, "PUBLISH channel hello");
	expect(reply->type == REDIS_REPLY_INTEGER && reply->integer == 1, "PUBLISH", reply);
	freeReplyObject(reply);
	if (redisGetReply(context, (void **)&reply) != REDIS_OK) {
		fprintf(stderr, "message: %s\n", context->errstr);
		exit(1);
	}
	expect(reply->type == REDIS_REPLY_ARRAY && strcmp(reply->element[2]->str, "hello") == 0,
	       "message", reply);
	freeReplyObject(reply);
}

static redisContext *connect_to(const char *address, int port)
{
	const struct timeval patience = {20, 0};
	redisContext *context = redisConnectWithTimeout(address, port, patience);

	if (!context || context->err) {
		fprintf(stderr, "connect: %s\n", context ? context->errstr : "no memory");
		exit(1);
	}
	redisSetTimeout(context, patience);
	return context;
}

int main(int argc, char **argv)
{
	redisContext *context, *other;

	if (argc != 3) {
		fprintf(stderr, "usage: hiredis_client ADDRESS PORT\n");
		return 2;
	}
	context = connect_to(argv[1], atoi(argv[2]));
	other = connect_to(argv[1], atoi(argv[2]));
	single_commands(context);
	pipeline(context);
	transaction(context);
	subscription(context, other);
	redisFree(context);
	redisFree(other);
	return failures != 0;
}
