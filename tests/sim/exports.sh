#!/bin/sh
# exports.sh NM SHARED STATIC HEADER: both libraries show the same calls, every one of the header among
# them, and nothing but demi_*.
nm=$1 shared=$2 static=$3 header=$4
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

"$nm" --dynamic --defined-only "$shared" | awk '{ print $3 }' | sort >"$dir/shared"
"$nm" --extern-only --defined-only "$static" | awk 'NF == 3 { print $3 }' | sort >"$dir/static"
diff -u "$dir/shared" "$dir/static" || exit 1
! grep -v '^demi_' "$dir/shared" || exit 1
for call in $(sed -n 's/^DEMI_API .*[ *]\(demi_sim_[a-z_]*\)(.*/\1/p' "$header"); do
	grep -qx "$call" "$dir/shared" || { echo "$call is not exported"; exit 1; }
done
