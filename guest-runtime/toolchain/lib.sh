# Shared by setup, key and build: where things are and how they are reported.
# Sourced, never run. Everything that is built lies outside the checkout, in one
# cache that all checkouts of a user share.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest_runtime=$(dirname "$here")
checkout=$(dirname "$guest_runtime")

cache=${CORDON_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cordon}
toolchain=$cache/toolchain
env_file=$toolchain/env
profile=${CORDON_GUEST_PROFILE:-release}

target=wasm32-wasip1
zig_version=$(sed -n 's/^ziglang==\([0-9.]*\).*/\1/p' "$here/requirements.txt")
zig=$toolchain/ziglang-$zig_version/ziglang/zig

say() { printf 'guest toolchain: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

# Linker flags are split at blanks by cargo, so a path with one cannot work.
case $cache in
    /*[[:space:]]*) die "the cache folder '$cache' has a blank in its name; set CORDON_CACHE to one without" ;;
    /*) ;;
    *) die "the cache folder '$cache' is not an absolute path; set CORDON_CACHE to one that is" ;;
esac
case $profile in
    release | quick) ;;
    *) die "guest profile '$profile' is neither release nor quick" ;;
esac
