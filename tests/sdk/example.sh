#!/bin/sh
# example.sh GENERATOR FILE: the committed config.toml.example is what the list of keys says.
"$1" | diff -u "$2" - && exit 0
echo "config.toml.example is stale; make it anew: build/sdk/clowder_config_example > config.toml.example"
exit 1
