#!/bin/sh
# exports.sh NM SHARED STATIC: both libraries show all of the public calls and nothing else.
nm=$1 shared=$2 static=$3
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

cat >"$dir/expected" <<END
demi_accept
demi_async_close
demi_bind
demi_close
demi_connect
demi_create_pipe
demi_describe
demi_fini
demi_getpeername
demi_getsockname
demi_getsockopt
demi_init
demi_listen
demi_open_pipe
demi_pop
demi_push
demi_pushto
demi_setsockopt
demi_sgaalloc
demi_sgafree
demi_shard_channel
demi_shard_count
demi_shard_figures
demi_shard_of
demi_shard_run
demi_shard_self
demi_shard_stop
demi_shutdown
demi_socket
demi_strerror
demi_version
demi_wait
demi_wait_any
demi_wait_next_n
END
"$nm" --dynamic --defined-only "$shared" | awk '{ print $3 }' | sort >"$dir/shared"
"$nm" --extern-only --defined-only "$static" | awk 'NF == 3 { print $3 }' | sort >"$dir/static"
diff -u "$dir/expected" "$dir/shared" && diff -u "$dir/expected" "$dir/static"
