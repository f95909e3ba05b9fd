"""Runs one piece of code inside a sandbox container, then ends and the container with it.

It is the container's command, given by the sandbox service as text, so the image needs Python and nothing of Loom's.
What it says is untrusted: the code beside it has the same user and may stop it or speak in its place.

stdin   one JSON line {nonce, language, main, bytes}, then a tar of that many bytes to lay into the workspace.
        The end of stdin at any time means that the service is gone: everything here ends.
stdout  what the code prints, then "\\n<nonce> {json}\\n", then a tar of the regular files under final/.
stderr  what the code prints.
"""

import atexit
import errno
import importlib
import json
import linecache
import os
import select
import signal
import stat
import sys
import tarfile
import threading
import traceback
import types

ROOT = "/workspace"
MAX_FILES, MAX_FILE, MAX_TOTAL, MAX_DEPTH, MAX_SKIPPED = 200, 25_000_000, 64_000_000, 16, 20


def become_child():
    """Own session, no stdin, and first in line when memory runs out (so that the supervisor can tell of it)."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        with open("/proc/self/oom_score_adj", "w") as score:
            score.write("1000")
    except OSError:
        pass
    os.chdir(ROOT)


def preload(order):
    """Loads what most code asks for, until the order comes; an image without it still runs."""
    for module in ("numpy", "pandas", "matplotlib.pyplot"):
        if select.select([order], [], [], 0)[0]:
            return
        try:
            importlib.import_module(module)
        except ImportError:
            pass


def run_python(name):
    """Runs the file as `python3 <name>` would and returns its exit code; tracebacks show its own lines alone."""
    with open(name, encoding="utf-8") as file:
        source = file.read()
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    module = types.ModuleType("__main__")
    module.__file__ = name
    sys.modules["__main__"], sys.argv, sys.path[:0] = module, [name], [ROOT]
    try:
        exec(compile(source, name, "exec"), module.__dict__)
        return 0
    except SystemExit as leaving:
        return exit_code(leaving.code)
    except SyntaxError as error:
        traceback.print_exception(error.with_traceback(None))
    except BaseException as error:
        traceback.print_exception(error.with_traceback(error.__traceback__.tb_next))
    return 1


def exit_code(code):
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def leave(code):
    """Ends as the interpreter would, threads joined and exit functions called, but does not take pandas apart: that costs 0.3 s."""
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def start_python(warm):
    """Forks the interpreter that will run the code. Returns its pid and the pipe that takes the file's name."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(reader)
        return pid, writer
    os.close(writer)
    become_child()
    if warm:
        preload(reader)
    with os.fdopen(reader) as order:
        name = order.read()
    leave(run_python(name) if name else 0)


def start_node(name):
    pid = os.fork()
    if pid:
        return pid
    become_child()
    os.execvp("node", ["node", name])


class Bounded:
    """The next `left` bytes of a stream."""

    def __init__(self, stream, left):
        self.stream, self.left = stream, left

    def read(self, size):
        data = self.stream.read(min(size, self.left))
        self.left -= len(data)
        return data


def lay_in(stream, size):
    """Reads all of the archive: what its reader leaves behind its end would look as if the service had spoken again."""
    archived = Bounded(stream, size)
    with tarfile.open(fileobj=archived, mode="r|") as archive:
        for member in archive:
            path = os.path.join(ROOT, member.name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            source = archive.extractfile(member)
            with open(path, "wb") as target:
                while block := source.read(1 << 20):
                    target.write(block)
    while archived.read(1 << 16):
        pass


def watch_stdin():
    """The service never writes twice: whatever comes is its end, and so ours."""
    os.read(0, 1)
    end_others()
    os._exit(1)


def end_others():
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass


def wait(pid):
    status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def why_not(path, info, taken, total):
    if not stat.S_ISREG(info.st_mode):
        return "not a regular file"
    if info.st_size > MAX_FILE:
        return "over 25 MB"
    if total + info.st_size > MAX_TOTAL:
        return "over 64 MB together"
    if taken >= MAX_FILES:
        return "over 200 files"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "name is not UTF-8"
    return None


def walk(path, depth=0):
    """Entries below `path` in order of name, directories entered but links never followed."""
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False) and depth < MAX_DEPTH:
            yield from walk(entry.path, depth + 1)
        else:
            yield entry


def final_files():
    """Paths of what goes out, and [path, reason] of what does not."""
    taken, skipped, total = [], [], 0
    final = os.path.join(ROOT, "final")
    for entry in [] if os.path.islink(final) else walk(final):
        info, path = entry.stat(follow_symlinks=False), os.path.relpath(entry.path, ROOT)
        reason = why_not(path, info, len(taken), total)
        if reason is None:
            taken.append(path)
            total += info.st_size
        elif len(skipped) < MAX_SKIPPED:
            skipped.append([path.encode("utf-8", "replace").decode(), reason])
    return taken, skipped


def send_files(out, paths):
    with tarfile.open(fileobj=out, mode="w|", dereference=False) as archive:
        for path in paths:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(handle, "rb") as file:
                member = tarfile.TarInfo(path)
                member.size = os.fstat(handle).st_size
                archive.addfile(member, file)


def say(nonce, ending, paths):
    with os.fdopen(1, "wb", buffering=1 << 18) as out:
        out.write(b"\n%s %s\n" % (nonce.encode(), json.dumps(ending).encode()))
        send_files(out, paths)


def serve(warm):
    os.chdir(ROOT)
    for name in (".tmp", ".home"):
        os.mkdir(name)
    pid, order = start_python(warm)
    line = sys.stdin.buffer.readline()
    if not line:
        end_others()
        return
    request = json.loads(line)
    try:
        lay_in(sys.stdin.buffer, request["bytes"])
    except OSError as error:
        end_others()
        say(request["nonce"], {"exit": None, "error": errno.errorcode.get(error.errno, "EIO"), "skipped": []}, [])
        return
    if request["language"] == "node":
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        pid = start_node(request["main"])
    else:
        os.write(order, request["main"].encode())
        os.close(order)
    threading.Thread(target=watch_stdin, daemon=True).start()
    code = wait(pid)
    end_others()
    paths, skipped = final_files()
    say(request["nonce"], {"exit": code, "error": None, "skipped": skipped}, paths)
    os._exit(0)


serve(sys.argv[1:] == ["warm"])
