# What the benchmarks share: a network namespace of their own, programs that are started, held and ended, and slices of
# measurement. To be sourced. All files are in $dir, which is gone at the end, and so are the programs.

# bench_enter SCRIPT ARGUMENTS...: runs the script again in a network namespace; returns when that is where we are
bench_enter()
{
	[ -z "${CLOWDER_BENCH_INSIDE:-}" ] || return 0
	export CLOWDER_BENCH_INSIDE=1
	[ "$(id -u)" = 0 ] && exec unshare --net "$@"
	exec unshare --user --map-root-user --net "$@"
}

declare -A pid_of=()

bench_begin()
{
	dir=$(mktemp -d)
	trap bench_end EXIT
	ip link set lo up
}

bench_end()
{
	local name
	for name in "${!pid_of[@]}"; do
		end "$name"
	done
	rm -rf "$dir"
}

# end NAME: of a program that was started, held or not
end()
{
	[ -n "${pid_of[$1]:-}" ] || return 0
	kill -KILL "${pid_of[$1]}" 2>/dev/null || true
	wait "${pid_of[$1]}" 2>/dev/null || true
	unset "pid_of[$1]"
}

# hold NAME, let_go NAME: a program that polls costs the others nothing while it is not its turn
hold()
{
	kill -STOP "${pid_of[$1]}"
}

let_go()
{
	kill -CONT "${pid_of[$1]}"
}

# start NAME PATTERN COMMAND...: in the background, its output in $dir/NAME.log, until that has a line like the pattern
start()
{
	local name=$1 pattern=$2 i
	shift 2
	"$@" >"$dir/$name.log" 2>&1 &
	pid_of[$name]=$!
	for ((i = 0; i < 300; i++)); do
		grep -qsE "$pattern" "$dir/$name.log" && return
		kill -0 "${pid_of[$name]}" 2>/dev/null || break
		sleep 0.1
	done
	sed "s/^/$name: /" "$dir/$name.log" >&2
	end "$name"
	return 1
}

# start_far: a network namespace behind a veth pair, in which 10.98.0.2 is; run there with "${in_far[@]}" COMMAND...
start_far()
{
	start far up unshare --net sh -c "echo up; exec sleep 3600"
	in_far=(nsenter --target "${pid_of[far]}" --net)
	ip link add va type veth peer name vb netns "${pid_of[far]}"
	ip address add 10.98.0.1/24 dev va
	ip link set va up
	"${in_far[@]}" sh -c "ip link set lo up; ip address add 10.98.0.2/24 dev vb; ip link set vb up"
}

# config NAME CPUS PORT_LINES: the SDK's configuration $dir/NAME.toml, with a shard on each of the cpus (0,1)
config()
{
	local cpus=$2
	local commas=${cpus//[^,]/}
	cat >"$dir/$1.toml" <<-TOML
		[runtime]
		shards = $((${#commas} + 1))
		cpus = [$cpus]
		name = "bench$$-$1"
		[[port]]
		$3
	TOML
}

# tap NAME NUMBER: the lines of a tap on which the SDK is 10.NUMBER.0.2 and the kernel 10.NUMBER.0.1
tap()
{
	printf 'device = "net_tap0,iface=%s"\naddress = "10.%s.0.2/24"\nkernel_address = "10.%s.0.1/24"\n' "$1" "$2" "$2"
}

# vhost_server NAME, vhost_client NAME: the two ends of shared memory: the server is 10.99.0.2
vhost_server()
{
	printf 'device = "net_vhost0,iface=%s/%s.vhost"\naddress = "10.99.0.2/24"\nmac = "02:00:00:00:00:02"\n' "$dir" "$1"
}

vhost_client()
{
	printf 'device = "net_virtio_user0,path=%s/%s.vhost"\naddress = "10.99.0.3/24"\nmac = "02:00:00:00:00:03"\n' \
		"$dir" "$1"
}

# Each measures for $seconds and prints "rate p50_us p99_us".

# slice_kernel ADDRESS [OPTIONS...]: the kernel's client, 64 bytes on 64 connections
slice_kernel()
{
	taskset -c "${client_cpus:-1}" "$build/tests/bench/kernel_client" -c 64 -s 64 -t "$seconds" "${@:2}" "$1" 7000 |
		sed -nE 's/^total .* rate ([0-9]+) p50_us ([0-9.]+) p99_us ([0-9.]+) .*/\1 \2 \3/p'
}

# slice_load CLIENT WORKLOAD_AND_OPTIONS...: the SDK's own client, over shared memory or a tap. A server that ran a moment
# ago for another client may not have taken leave of it: then once more.
slice_load()
{
	local try
	for try in 1 2; do
		"$build/samples/load/load" --config "$dir/$1.toml" --warmup 0.2 --seconds "$seconds" --live 0 \
			--json "$dir/load.json" "${@:2}" >"$dir/load.log" 2>&1 && break
		[ $try = 1 ] || { cat "$dir/load.log" >&2; return 1; }
		sleep 0.3
	done
	# Of the step's total, which comes before the shards'.
	awk '/"total"/ { total = 1 } total && /"(rate|p50|p99)":/ {
		gsub(/[",:]/, ""); if (!($1 in seen)) seen[$1] = $2; if ($1 == "p99") { print seen["rate"], seen["p50"], $2; exit } }' \
		"$dir/load.json"
}

# slice_redis ADDRESS COMMAND PIPELINE: redis-benchmark with 64 connections and values of 64 bytes of 100,000 keys; as many
# requests as take about $seconds, by what the slice before of the same kind took, which is in a file as each slice is a
# subshell's. Without a server redis-benchmark tries for ever: then there is no line.
slice_redis()
{
	local last=$dir/redis-$1-$2-$3.rate line rate p50 p99 count
	count=$(awk -v r="$(cat "$last" 2>/dev/null || echo 60000)" -v s="$seconds" \
		'BEGIN { n = r * s; print n < 2000 ? 2000 : int(n) }')
	line=$(timeout "${slice_limit:-60}" taskset -c "${client_cpus:-1}" redis-benchmark -h "$1" -p 7000 -t "$2" -P "$3" -c 64 \
		-d 64 -r 100000 -n "$count" --csv "${@:4}" 2>>"$dir/redis-benchmark.log" | grep -i "^\"$2\"") || return 1
	IFS=, read -r _ rate _ _ p50 _ p99 _ < <(tr -d '"' <<<"$line")
	echo "$rate" >"$last"
	awk -v r="$rate" -v p="$p50" -v q="$p99" 'BEGIN { print r, p * 1000, q * 1000 }'
}
