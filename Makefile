# luge: build, test, install. `make help` lists the targets.
#
# Settings, on the command line or in the environment; each has a build directory of its own, so they never mix:
#   REAL=double            lg_real is double; the library is libluge-double      build-double/
#   SANITIZE=address,undefined                                                   build-address-undefined/
#   CC=clang                                                                     build-clang/
#   WERROR=1               warnings are errors
#   CFLAGS, CPPFLAGS, LDFLAGS are appended to what stands here.
#   PREFIX, DESTDIR        where `make install` puts things

SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

# -------------------------------------------------------------------------------------------------- settings

ifeq ($(origin CC),default)
CC := gcc
endif
AR ?= ar
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
REAL ?= float
SANITIZE ?=

version = $(shell sed -n 's/^.define LG_VERSION_$(1) *//p' src/tensor/base.h)
MAJOR := $(call version,MAJOR)
VERSION := $(MAJOR).$(call version,MINOR).$(call version,PATCH)

comma := ,
BUILD := build$(if $(filter double,$(REAL)),-double)$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if \
	$(filter gcc cc,$(CC)),,-$(notdir $(firstword $(CC))))
NAME := luge$(if $(filter double,$(REAL)),-double)

# pass-failed is clang's word on a loop that it leaves scalar; where that costs, the benchmarks say so.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wno-pass-failed $(if $(WERROR),-Werror)
# No -ffast-math: NaN and infinity keep their meaning. These two let loops with sqrt and comparisons vectorise; with
# -std=c17 gcc would not fuse a * b + c unless told to, which makes exp, log and their kin 1.4 to 1.8 times slower.
OPTIMISE := $(if $(SANITIZE),-O1 -fno-omit-frame-pointer,-O3) -g -fno-math-errno -fno-trapping-math -ffp-contract=fast \
	-fopenmp-simd
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)

# Found by pkg-config where it is installed; otherwise by their plain names. Asked once, and only when needed, so that
# `make deps` works on a machine that has neither compiler nor pkg-config.
BLAS_CFLAGS = $(eval BLAS_CFLAGS := $(shell pkg-config --cflags openblas 2>/dev/null || true))$(BLAS_CFLAGS)
LIBS = $(eval LIBS := $(shell pkg-config --libs openblas zlib jansson 2>/dev/null || \
	echo -lopenblas -lz -ljansson) -lm -lpthread)$(LIBS)
# Of the trainers alone.
EXAMPLE_LIBS = $(eval EXAMPLE_LIBS := $(shell pkg-config --libs libpng 2>/dev/null || echo -lpng))$(EXAMPLE_LIBS)
CHECK_LIBS = $(eval CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null || \
	echo -lcheck -lsubunit -lrt -lm -lpthread))$(CHECK_LIBS)

ALL_CPPFLAGS = -D_GNU_SOURCE -Isrc $(if $(filter double,$(REAL)),-DLG_DOUBLE) $(BLAS_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(OPTIMISE) -fPIC -fvisibility=hidden $(SANITIZER) $(WARNINGS) $(CFLAGS)
ALL_LDFLAGS = $(SANITIZER) $(LDFLAGS)
COMPILE = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c

# ----------------------------------------------------------------------------------------------------- files

LIBRARY_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/*/*.c))
PUBLIC_HEADERS := $(filter-out %_internal.h,$(wildcard src/*.h src/*/*.h))

# In examples/ and bench/ a .c file that has a .h of its own is shared by the programs; any other is a program.
with_header = $(foreach c,$(wildcard $(1)/*.c),$(if $(wildcard $(c:.c=.h)),$(c)))
EXAMPLE_SHARED := $(patsubst %.c,$(BUILD)/%.o,$(call with_header,examples))
BENCH_SHARED := $(patsubst %.c,$(BUILD)/%.o,$(call with_header,bench))
PROGRAMS := $(patsubst examples/%.c,%,$(filter-out $(call with_header,examples),$(wildcard examples/*.c)))
BENCHES := $(patsubst bench/%.c,%,$(filter-out $(call with_header,bench),$(wildcard bench/*.c)))
NOT_INSTALLED := digits
TRAINERS := $(filter-out $(NOT_INSTALLED),$(PROGRAMS))

TEST_SUITES := $(sort $(patsubst tests/test_%.c,%,$(wildcard tests/test_*.c)))
TEST_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/user_program.c,$(wildcard tests/*.c)))

FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))

STATIC := $(BUILD)/lib$(NAME).a
SONAME := lib$(NAME).so.$(MAJOR)
SHARED := $(BUILD)/lib$(NAME).so.$(VERSION)

# -------------------------------------------------------------------------------------------------- building

.PHONY: all deps demo test test-long check-suites check-valgrind interop fuzz fuzz-long bench accuracy accuracy-losses docs install \
	uninstall clean help FORCE $(TEST_SUITES:%=suite-%) $(TEST_SUITES:%=valgrind-%) $(BENCHES:%=bench-%) \
	$(FUZZERS:%=fuzz-%)

all: $(STATIC) $(SHARED) $(PROGRAMS:%=$(BUILD)/%)

# Tests run them as well.
BENCH_PROGRAMS := $(BENCHES:%=$(BUILD)/bench/%)

# Changes only when the flags do, and everything that is compiled depends on it.
$(BUILD)/flags: FORCE
	@command -v $(firstword $(CC)) > /dev/null || \
	    { echo 'There is no $(firstword $(CC)) here; `make deps` installs what luge needs.' >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(ALL_LDFLAGS)' | cmp -s - $@ || echo '$(COMPILE) $(ALL_LDFLAGS)' > $@

# gcc's jump threading takes the selects of a numeric loop for branches, which then cannot be vectorised.
GCC_ONLY = $(if $(findstring clang,$(CC)),,$(1))
# private: what these depend on (the flags file above all) keeps the common flags.
$(BUILD)/src/autograd/%.o $(BUILD)/src/losses/%.o: private ALL_CFLAGS += $(call GCC_ONLY,-fno-thread-jumps)

$(BUILD)/src/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(COMPILE) -DLG_BUILDING $< -o $@

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(COMPILE) -Itests -I$(BUILD)/tests -DTEST_BUILD_DIR='"$(CURDIR)/$(BUILD)"' -DTEST_SOURCE_DIR='"$(CURDIR)"' $< -o $@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(COMPILE) $< -o $@

# Takes some of them in, byte for byte.
$(BUILD)/examples/embedded.o: $(wildcard data/*.csv data/*.gz)

$(STATIC): $(LIBRARY_OBJECTS)
	@echo "  AR      $@"
	@rm -f $@
	@$(AR) rcs $@ $^

# A sanitizer's runtime belongs to the program, so its symbols stay open here. nodelete: the team's threads sleep in the
# library's code, so dlclose must leave it.
$(SHARED): $(LIBRARY_OBJECTS)
	@echo "  LD      $@"
	@$(CC) -shared -Wl,-soname,$(SONAME) -Wl,-z,nodelete $(if $(SANITIZE),,-Wl,-z,defs) $(ALL_LDFLAGS) $^ -o $@ $(LIBS)
	@ln -sf $(@F) $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $(BUILD)/lib$(NAME).so

$(PROGRAMS:%=$(BUILD)/%): $(BUILD)/%: $(BUILD)/examples/%.o $(EXAMPLE_SHARED) $(STATIC)
	@echo "  LD      $@"
	@$(CC) $(ALL_LDFLAGS) $^ -o $@ $(EXAMPLE_LIBS) $(LIBS)

# bench/blas_time.c counts the time that the library spends in BLAS.
BENCH_WRAP := $(foreach f,sgemm dgemm sgemv dgemv,-Wl,--wrap=cblas_$(f))
$(BENCH_PROGRAMS): $(BUILD)/bench/%: $(BUILD)/bench/%.o $(BENCH_SHARED) $(BUILD)/examples/blas_choice.o $(STATIC)
	@echo "  LD      $@"
	@$(CC) $(ALL_LDFLAGS) $(BENCH_WRAP) $^ -o $@ $(LIBS)

# Debian and Ubuntu: installs what is missing. Elsewhere: says what is missing.
deps:
	@CC='$(CC)' CPPFLAGS='$(BLAS_CFLAGS) $(CPPFLAGS)' LDFLAGS='$(LDFLAGS)' sh tools/install-deps.sh

# The second make reads this file anew, with what `deps` has just installed in place; on all processors, unless -j says.
REMAKE = $(MAKE) --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc 2>/dev/null || echo 1))

demo: deps
	+@$(REMAKE) all
	$(BUILD)/fraud

# ---------------------------------------------------------------------------------------------------- testing

# One program runs every suite, so that Check prints one summary. tests/test_NAME.c defines `Suite *NAME_suite(void)`.
# One suite alone: CK_RUN_SUITE=NAME make test.
$(BUILD)/tests/suites.h: FORCE
	@mkdir -p $(@D)
	@printf 'SUITE(%s)\n' $(TEST_SUITES) | cmp -s - $@ || printf 'SUITE(%s)\n' $(TEST_SUITES) > $@

$(BUILD)/tests/run.o: $(BUILD)/tests/suites.h

wrap := malloc calloc realloc aligned_alloc free
$(BUILD)/tests/run: $(TEST_OBJECTS) $(STATIC)
	@echo "  LD      $@"
	@$(CC) $(ALL_LDFLAGS) $(wrap:%=-Wl,--wrap=%) $^ -o $@ $(CHECK_LIBS) $(LIBS)

RUN_TESTS = LG_BUILD_DIR='$(CURDIR)/$(BUILD)' LG_SOURCE_DIR='$(CURDIR)' LG_CC='$(CC)' LG_CFLAGS='$(ALL_CPPFLAGS)' \
	ASAN_OPTIONS=allocator_may_return_null=1:$$ASAN_OPTIONS \
	CK_TIMEOUT_MULTIPLIER=$${CK_TIMEOUT_MULTIPLIER:-$(if $(SANITIZE),20,5)}

test: deps
	+@$(REMAKE) all $(BENCH_PROGRAMS) $(BUILD)/tests/run
	@$(RUN_TESTS) $(BUILD)/tests/run

# The same with more of what depends on chance: 200 kills of a run instead of 20. CK_RUN_SUITE=kill: these alone.
test-long:
	+@LG_TEST_KILLS=200 $(MAKE) --no-print-directory test

# Suite by suite, so that -j runs them beside each other; one alone: make suite-NAME, make valgrind-NAME.
check-suites: $(TEST_SUITES:%=suite-%)

$(TEST_SUITES:%=suite-%): suite-%: all $(BENCH_PROGRAMS) $(BUILD)/tests/run
	@$(RUN_TESTS) CK_RUN_SUITE=$* $(BUILD)/tests/run

# Programs that a suite runs are not under valgrind (they are under the sanitizers), so suites that do little else than run
# programs and read what they leave are left out here; valgrind-NAME has them.
program_suites := bench blas_choice build ctc_trainer faces fraud fraud_stream history_program kill predict quantile readme \
	siamese svm triplet vae
check-valgrind: $(patsubst %,valgrind-%,$(filter-out $(program_suites),$(TEST_SUITES)))

$(TEST_SUITES:%=valgrind-%): valgrind-%: all $(BENCH_PROGRAMS) $(BUILD)/tests/run
	@$(RUN_TESTS) LG_TEST_LIGHT=1 CK_FORK=no CK_RUN_SUITE=$* valgrind -q --error-exitcode=1 --leak-check=full \
	    --show-leak-kinds=definite --errors-for-leak-kinds=definite $(BUILD)/tests/run

# Round trips with NumPy, pandas, scikit-learn, safetensors and PyTorch themselves, which pip installs into
# $(BUILD)/interop-venv; PYTHON=/path/to/python has them already. Where they cannot be had one line says so.
$(BUILD)/tests/interop/convert: $(BUILD)/tests/interop/convert.o $(STATIC)
	@echo "  LD      $@"
	@$(CC) $(ALL_LDFLAGS) $^ -o $@ $(LIBS)

interop: all $(BUILD)/tests/interop/convert
	@PYTHON='$(if $(findstring command,$(origin PYTHON)),$(PYTHON))' sh tests/interop/run.sh '$(CURDIR)/$(BUILD)'

# libFuzzer on every reader, for FUZZ_SECONDS each, from the corpora in tests/fuzz/ (which grow in build-fuzz/, not
# there). Needs clang. What it finds is left as build-fuzz/NAME-crash-*; the ordinary tests replay the corpora. One reader
# alone: make fuzz FUZZERS=npy.
FUZZ_SECONDS ?= 600
FUZZ_BUILD := CC=clang SANITIZE=address,undefined,fuzzer-no-link BUILD=build-fuzz

fuzz:
	+@$(REMAKE) $(FUZZ_BUILD) $(FUZZERS:%=build-fuzz/fuzz-%)
	+@$(MAKE) --no-print-directory $(FUZZ_BUILD) $(FUZZERS:%=fuzz-%)

fuzz-long:
	+@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=14400

$(FUZZERS:%=$(BUILD)/fuzz-%): $(BUILD)/fuzz-%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(STATIC)
	@echo "  LD      $@"
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer $(filter-out %.h,$^) -o $@ $(LIBS)

$(FUZZERS:%=fuzz-%): fuzz-%: $(BUILD)/fuzz-%
	@mkdir -p $(BUILD)/corpus-$*
	$(BUILD)/fuzz-$* -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
	    $(if $(wildcard tests/fuzz/$*.dict),-dict=tests/fuzz/$*.dict) -artifact_prefix=$(BUILD)/$*- \
	    $(BUILD)/corpus-$* tests/fuzz/$*

# ----------------------------------------------------------------------------------------------- measurements

# luge beside NumPy, PyTorch and scikit-learn, where the interpreter has them: one table, build/bench/bench.csv, a picture.
# BENCH="b c": these workloads only; BENCH_FLAGS: see build/bench/compare --help.
PYTHON ?= python3
BENCH ?=
BENCH_FLAGS ?=
bench: $(BUILD)/bench/compare $(BUILD)/bench/worker
	$(BUILD)/bench/compare --python $(PYTHON) --worker $(BUILD)/bench/worker --out $(BUILD)/bench $(BENCH_FLAGS) $(BENCH)

# The others, one by one: bench-losses, bench-ctc, bench-math, bench-overhead, bench-scaling.
$(filter-out bench-compare bench-worker bench-scaling,$(BENCHES:%=bench-%)): bench-%: $(BUILD)/bench/%
	$<

bench-scaling: $(BUILD)/bench/scaling
	$< $(BUILD)/bench $(BENCH)

# Every float through every elementary function; ACCURACY_STEP=100 takes every hundredth.
ACCURACY_STEP ?= 1
accuracy: accuracy-losses $(BUILD)/bench/accuracy
	$(BUILD)/bench/accuracy $(ACCURACY_STEP)

# Every loss in float against the same in double, on ordinary and on extreme inputs.
accuracy-losses: $(BUILD)/tests/run
	+@$(REMAKE) REAL=double build-double/tests/run
	@build-double/tests/run --loss-values $(BUILD)/loss-values.txt
	@$(BUILD)/tests/run --loss-accuracy $(BUILD)/loss-values.txt

# ------------------------------------------------------------------------------------------------------ docs

# The page of losses, from the library's own table; .ci/run sees to it that the one in the tree is current.
$(BUILD)/tools/losses_page: $(BUILD)/tools/losses_page.o $(STATIC)
	@$(CC) $(ALL_LDFLAGS) $^ -o $@ $(LIBS)

docs: $(BUILD)/tools/losses_page
	$< > docs/losses.md.new
	mv docs/losses.md.new docs/losses.md

# ----------------------------------------------------------------------------------------------- installation

PC_LINES = -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@NAME@|$(NAME)|' -e 's|@VERSION@|$(VERSION)|' \
	-e 's|@CFLAGS@|$(if $(filter double,$(REAL)),-DLG_DOUBLE)|'
SUFFIX := $(NAME:luge%=%)

install: all
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/luge
	for h in $(PUBLIC_HEADERS:src/%=%); do \
	    install -D -m 644 src/$$h $(DESTDIR)$(PREFIX)/include/luge/$$h || exit 1; done
	install -m 644 $(STATIC) $(DESTDIR)$(LIBDIR)
	install -m 755 $(SHARED) $(DESTDIR)$(LIBDIR)
	ln -sf $(notdir $(SHARED)) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/lib$(NAME).so
	sed $(PC_LINES) luge.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/$(NAME).pc
	for t in $(TRAINERS); do install -m 755 $(BUILD)/$$t $(DESTDIR)$(PREFIX)/bin/luge-$$t$(SUFFIX) || exit 1; done

# The headers serve both precisions: they go with the last one.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,lib$(NAME).a lib$(NAME).so $(SONAME) $(notdir $(SHARED)) pkgconfig/$(NAME).pc)
	rm -f $(TRAINERS:%=$(DESTDIR)$(PREFIX)/bin/luge-%$(SUFFIX))
	ls $(DESTDIR)$(LIBDIR)/pkgconfig/luge*.pc > /dev/null 2>&1 || rm -rf $(DESTDIR)$(PREFIX)/include/luge

clean:
	rm -rf build build-*

help:
	@echo 'make                 library (static and shared) and trainers, in $(BUILD)/'
	@echo 'make demo            installs what is missing, builds, trains the fraud detector'
	@echo 'make test            installs what is missing, builds, runs every test (one suite: CK_RUN_SUITE=base)'
	@echo 'make test-long       the same with 200 kills of a run with checkpoints instead of 20'
	@echo 'make deps            installs what is missing (Debian, Ubuntu), or says what is'
	@echo 'make install         to PREFIX=$(PREFIX), below DESTDIR; make uninstall takes it away'
	@echo 'make check-suites    the tests, suite by suite: with -j beside each other'
	@echo 'make check-valgrind  the tests under valgrind, likewise'
	@echo 'make interop         round trips with NumPy, PyTorch and their kin (Python; skipped where there is none)'
	@echo 'make fuzz            libFuzzer on every reader, FUZZ_SECONDS=600 each (needs clang)'
	@echo 'make fuzz-long       the same for four hours each'
	@echo 'make bench           training steps of luge beside NumPy, PyTorch, scikit-learn: PYTHON=python3 BENCH="b c"'
	@echo 'make bench-NAME      other timings: $(filter-out accuracy compare worker,$(BENCHES))'
	@echo 'make accuracy        the elementary functions against the truth, over all floats (minutes)'
	@echo 'make accuracy-losses every loss in float against double'
	@echo 'make docs            docs/losses.md, from the table of losses'
	@echo 'make clean           removes every build directory'
	@echo 'Settings: REAL=double SANITIZE=address,undefined CC=clang WERROR=1 CFLAGS= CPPFLAGS= LDFLAGS='

-include $(LIBRARY_OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d) $(EXAMPLE_SHARED:.o=.d) $(BENCH_SHARED:.o=.d) \
	$(PROGRAMS:%=$(BUILD)/examples/%.d) $(BENCHES:%=$(BUILD)/bench/%.d)
