#!/bin/sh
# Builds the PAM module: build/pam_module/pam_nightlatch.so, or with "asan" build/pam_module/asan/ for tests.
#   pam_module/build.sh [plain|asan]
# Needs: cc, protoc-c and the headers of libpam, libnghttp2, libprotobuf-c
# (Debian: gcc libc6-dev protobuf-c-compiler libprotobuf-c-dev libnghttp2-dev libpam0g-dev).
# Objects without the entry points stay in obj/, for the unit tests. CC and CFLAGS are honoured.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
variant=${1:-plain}
case $variant in
plain) out=$root/build/pam_module hardening='-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2' linking='-Wl,-z,defs' ;;
asan) out=$root/build/pam_module/asan hardening='-U_FORTIFY_SOURCE -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' linking='-fsanitize=address,undefined' ;;
*)
    echo "build.sh: \"$variant\" is no variant: use plain or asan" >&2
    exit 2
    ;;
esac
cc=${CC:-cc}
common="-std=c11 -O2 -fPIC -fvisibility=hidden -fstack-protector-strong $hardening ${CFLAGS:-}"
warnings='-Wall -Wextra -Wshadow -Wformat=2 -Werror'
include="-I$root/pam_module -I$out/generated -isystem $out/generated"

mkdir -p "$out/generated" "$out/obj"
exec 9>"$out/.lock"
flock 9 # two tests may want the module at once
made="$cc $common"
newer=$(find "$root/pam_module" "$root/proto/nightlatch/v1/login.proto" -newer "$out/pam_nightlatch.so" \
    \( -name '*.[ch]' -o -name '*.proto' -o -name build.sh \) 2>/dev/null || echo missing)
if [ -f "$out/pam_nightlatch.so" ] && [ -z "$newer" ] && [ "$(cat "$out/.made" 2>/dev/null)" = "$made" ]; then
    exit 0
fi

rm -f "$out"/obj/*.o # a source may have gone
protoc-c --proto_path="$root/proto" --c_out="$out/generated" nightlatch/v1/login.proto
# shellcheck disable=SC2086 # the flags are words
{
    $cc $common $warnings $include -c "$out/generated/nightlatch/v1/login.pb-c.c" -o "$out/obj/login.pb-c.o"
    for source in "$root"/pam_module/*.c; do
        $cc $common $warnings -Wconversion $include -c "$source" -o "$out/obj/$(basename "$source" .c).o"
    done
    $cc $common $linking -shared -Wl,-z,relro,-z,now,-z,noexecstack "$out"/obj/*.o \
        -o "$out/pam_nightlatch.so.new" -lnghttp2 -lprotobuf-c -lpam
}
mv "$out/pam_nightlatch.so.new" "$out/pam_nightlatch.so"
printf %s "$made" >"$out/.made"
echo "built $out/pam_nightlatch.so"
