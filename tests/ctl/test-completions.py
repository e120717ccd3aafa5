# SPDX-License-Identifier: GPL-2.0-or-later
"""Every option and command that --help has is in each shell's completion, and no other.

Environment: COMPLETIONS is the directory, CTL and DAEMON the binaries. What a shell that is not
there would do is not tested; the words are.
"""

import shutil

from stub import *

PLACE = os.environ["COMPLETIONS"]
PROGRAMS = {"cachefilesctl": CTL, "cachefilesd": os.environ["DAEMON"]}
FILES = {"cachefilesctl": ("cachefilesctl.bash", "_cachefilesctl", "cachefilesctl.fish"),
         "cachefilesd": ("cachefilesd.bash", "_cachefilesd", "cachefilesd.fish")}


def words_of(program):
    """Options and commands of --help."""
    text = subprocess.run([PROGRAMS[program], "--help"], stdout=subprocess.PIPE, check=True,
                          timeout=PATIENCE).stdout.decode()
    words = set()
    for names in re.findall(r"^ {2,}(-.*?)(?: {2}|$)", text, re.M):
        words |= set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", names))
    words |= set(re.findall(r"^  ([a-z]+) {3,}", text, re.M))
    if len(words) < 12:
        raise AssertionError("--help has but %r" % words)
    return words


def read(name):
    with open(os.path.join(PLACE, name)) as f:
        return f.read()


def in_words(name, text):
    """What a completion offers, as the words of --help."""
    text = re.sub(r"^ *#.*", "", text, flags=re.M)
    if name.endswith(".fish"):
        text = re.sub(r"^set .*", "", text, flags=re.M)
        text = re.sub(r'"[^"]*"', "", re.sub(r' -d "[^"]*"', "", text))
        words = {"--" + w for w in re.findall(r"-l ([\w-]+)", text)}
        words |= {"-" + w for w in re.findall(r"-s (\w)", text)}
        return words | set(re.findall(r"-a (\w+)", text))
    if name.startswith("_"):
        words = set(re.findall(r"^\s*'([a-z]+):", text, re.M))
        text = re.sub(r"\[[^]]*\]", " ", text)
        text = re.sub(r"'?\([^)]*-[^)]*\)'?", " ", text)  # which exclude one another
        text = re.sub(r"_arguments -C|^(typeset|local|\s+_describe) .*", "", text, flags=re.M)
        return words | set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", text))
    words = set()
    for options in re.findall(r'(?:options\+?=|-W )"([^"$]*)"', text):
        words |= set(options.replace("\\", "").split())
    return words


def every_word_is_there():
    for program, names in FILES.items():
        wanted = words_of(program)
        for name in names:
            have = in_words(name, read(name))
            equal(sorted(have), sorted(wanted), name)


def bash(line):
    """What bash offers for the last word of such a line."""
    words = line.split(" ")
    script = """
. "$1/%s.bash"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_%s
printf '%%s\\n' "${COMPREPLY[@]}"
""" % (words[0], words[0])
    done = subprocess.run(["bash", "--norc", "-c", script, "-", PLACE] + words,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=PLACE,
                          timeout=PATIENCE)
    equal(done.stderr.decode(), "", "stderr of bash for " + repr(line))
    return set(done.stdout.decode().split())


def bash_offers():
    commands = {"status", "volumes", "cull", "yield", "resume", "reload", "check"}
    has(bash("cachefilesctl "), *commands, "--help", "--json")
    equal(bash("cachefilesctl st"), {"status"}, "st")
    equal(bash("cachefilesctl --socket x st"), {"status"}, "st behind a socket")
    equal(bash("cachefilesctl cull --b"), {"--bytes"}, "cull --b")
    equal(bash("cachefilesctl cull --bytes 5 --a"), {"--all"}, "cull --bytes 5 --a")
    equal(bash("cachefilesctl cull --bytes "), set(), "cull --bytes")
    equal(bash("cachefilesctl --for status --b"), set(), "the argument of an option")
    equal(bash("cachefilesctl yield --f"), {"--for"}, "yield --f")
    equal(bash("cachefilesctl status --f"), set(), "status --f")
    equal(bash("cachefilesctl check --j"), set(), "check --j")
    equal(bash("cachefilesctl check -c cachefilesd.f"), {"cachefilesd.fish"}, "file")
    lacks(bash("cachefilesctl status "), *commands)
    equal(bash("cachefilesd --dump"), {"--dump-config"}, "--dump")
    equal(bash("cachefilesd -p meson.b"), {"meson.build"}, "file")
    equal(bash("cachefilesd --ready-after "), set(), "--ready-after")


def fish_offers():
    if not shutil.which("fish"):
        return
    home = tempfile.TemporaryDirectory()

    def offers(line):
        program = line.split(" ")[0]
        done = subprocess.run(
            ["fish", "--no-config", "-c", "source %s/%s.fish; complete -C '%s'" % (PLACE, program, line)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
            env=dict(os.environ, HOME=home.name))
        return {x.split("\t")[0] for x in done.stdout.decode().splitlines()}
    equal(offers("cachefilesctl st"), {"status"}, "st")
    has(offers("cachefilesctl cull --"), "--bytes", "--all", "--older-than", "--json")
    lacks(offers("cachefilesctl yield --"), "--bytes")
    has(offers("cachefilesctl yield --"), "--for")
    has(offers("cachefilesd --"), "--dump-config", "--ready-after")


def zsh_parses():
    if not shutil.which("zsh"):
        return
    for name in ("_cachefilesctl", "_cachefilesd"):
        done = subprocess.run(["zsh", "-f", "-n", os.path.join(PLACE, name)],
                              stderr=subprocess.PIPE, timeout=PATIENCE)
        equal((done.returncode, done.stderr.decode()), (0, ""), name)


run(every_word_is_there, bash_offers, fish_offers, zsh_parses)
