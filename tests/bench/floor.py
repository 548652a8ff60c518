"""The floor: what the same answer costs without a product around it. Arguments: repository, file, a list of blob ids.

One process walks the file's history with `git rev-list`, reads the blobs through one `git cat-file --batch`, and
compiles each of them. It prints how many compiled. Nothing is imported that it does not need.
"""

import subprocess
import sys


def main(repository: str, file: str, listed: str) -> int:
    with open(listed, encoding="ascii") as lines:  # noqa: PTH123 - pathlib would cost the floor an import
        blobs = lines.read().split()
    git = ["git", "-C", repository]
    subprocess.run([*git, "rev-list", "--parents", "HEAD", "--", file], check=True, stdout=subprocess.DEVNULL)
    batch = subprocess.Popen([*git, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert batch.stdin is not None
    assert batch.stdout is not None
    compiled = 0
    for blob in blobs:
        batch.stdin.write(blob.encode() + b"\n")
        batch.stdin.flush()
        size = int(batch.stdout.readline().split()[2])
        compiled += _compiles(batch.stdout.read(size + 1)[:-1], file)
    batch.stdin.close()
    batch.stdout.close()
    print(compiled, len(blobs))
    return batch.wait()


def _compiles(content: bytes, file: str) -> bool:
    try:
        compile(content, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
