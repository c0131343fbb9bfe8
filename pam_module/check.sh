#!/bin/sh
# Checks the C code and the man page: formatting, cppcheck, clang-tidy, mandoc. Builds first if need be.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
pam_module/build.sh
generated=build/pam_module/generated

clang-format --dry-run -Werror pam_module/*.[ch] tests/pam_module/*.c tests/testbed/*.c
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,style,performance,portability \
    --inline-suppr --suppress=missingIncludeSystem --suppress="*:$generated/*" \
    --suppress=constParameterCallback --suppress=constParameter \
    -I pam_module -I "$generated" pam_module/*.c
clang-tidy --quiet pam_module/*.c -- -std=c11 -D_FORTIFY_SOURCE=2 -O2 -I pam_module -isystem "$generated"
mandoc -Tlint -W warning pam_module/pam_nightlatch.8
echo "pam_module: checked"
