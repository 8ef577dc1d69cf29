#!/bin/sh
# outside.sh CMAKE BUILD CC LIBDIR PROGRAM SHARED STATIC PACKAGE: installs the build into a prefix of its own, then
# builds PROGRAM.c against it as users do, and runs it: with find_package (targets SHARED and STATIC) and with
# pkg-config (PACKAGE).
set -e
cmake=$1 build=$2 cc=$3 libdir=$4 program=$5 shared=$6 static=$7 package=$8
source=$(dirname "$0")/outside
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$cmake" --install "$build" --prefix "$dir/prefix" >"$dir/log" || { cat "$dir/log"; exit 1; }

"$cmake" -G Ninja -S "$source" -B "$dir/build" -DCMAKE_C_COMPILER="$cc" -DPROGRAM="$program" -DSHARED="$shared" \
	-DSTATIC="$static" -Dclowder_DIR="$dir/prefix/$libdir/cmake/clowder" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$cmake" --build "$dir/build" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
"$dir/build/outside_shared"
"$dir/build/outside_static"

PKG_CONFIG_PATH="$dir/prefix/$libdir/pkgconfig"
export PKG_CONFIG_PATH
"$cc" -std=c99 -o "$dir/outside" "$program" $(pkg-config \
	--cflags --libs "$package")
LD_LIBRARY_PATH="$dir/prefix/$libdir" "$dir/outside"
