#!/bin/sh
# outside.sh CMAKE BUILD SOURCE CC LIBDIR: installs the build into a prefix of its own, then builds SOURCE against
# it as users do: with find_package (shared and static) and with pkg-config.
set -e
cmake=$1 build=$2 source=$3 cc=$4 libdir=$5
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$cmake" --install "$build" --prefix "$dir/prefix" >"$dir/log" || { cat "$dir/log"; exit 1; }

"$cmake" -G Ninja -S "$source" -B "$dir/build" -DCMAKE_C_COMPILER="$cc" -Dclowder_DIR="$dir/prefix/$libdir/cmake/clowder" \
	>"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$cmake" --build "$dir/build" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$dir/build/outside_shared"
"$dir/build/outside_static"

PKG_CONFIG_PATH="$dir/prefix/$libdir/pkgconfig"
export PKG_CONFIG_PATH
"$cc" -std=c99 -o "$dir/outside" "$source/outside.c" $(pkg-config \
	--cflags --libs clowder)
LD_LIBRARY_PATH="$dir/prefix/$libdir" "$dir/outside"
