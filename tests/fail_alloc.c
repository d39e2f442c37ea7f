#include "fail_alloc.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void __real_free(void *block);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
void __wrap_free(void *block);

/* The blocks alive, in a hash table by linear probing; kept outside the heap that it watches. */
#define SLOTS ((size_t)1 << 18)

static struct {
    pthread_mutex_t lock;
    bool on, failed;
    size_t count, fail_at, live;
    void *slot[SLOTS];
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t home_of(const void *block)
{
    return (size_t)(((uint64_t)(uintptr_t)block >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 40) % SLOTS;
}

static void insert(void *block)
{
    if (!watch.on || !block || watch.live == SLOTS - 1)
        return;
    size_t i = home_of(block);
    while (watch.slot[i])
        i = (i + 1) % SLOTS;
    watch.slot[i] = block;
    watch.live++;
}

/* Fills the gap from behind, so that no search ends early at it. */
static void close_gap(size_t gap)
{
    for (size_t i = (gap + 1) % SLOTS; watch.slot[i]; i = (i + 1) % SLOTS) {
        size_t home = home_of(watch.slot[i]);
        if ((i + SLOTS - home) % SLOTS >= (i + SLOTS - gap) % SLOTS) {
            watch.slot[gap] = watch.slot[i];
            gap = i;
        }
    }
    watch.slot[gap] = NULL;
}

static bool take_out(const void *block)
{
    if (!watch.on || !block)
        return false;
    size_t i = home_of(block);
    while (watch.slot[i] && watch.slot[i] != block)
        i = (i + 1) % SLOTS;
    if (!watch.slot[i])
        return false;
    close_gap(i);
    watch.live--;
    return true;
}

/* Counts an allocation; whether it shall fail. */
static bool shall_fail(void)
{
    pthread_mutex_lock(&watch.lock);
    bool fail = watch.on && ++watch.count == watch.fail_at;
    watch.failed |= fail;
    pthread_mutex_unlock(&watch.lock);
    return fail;
}

static void *note(void *block)
{
    pthread_mutex_lock(&watch.lock);
    insert(block);
    pthread_mutex_unlock(&watch.lock);
    return block;
}

void *__wrap_malloc(size_t bytes)
{
    return shall_fail() ? NULL : note(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return shall_fail() ? NULL : note(__real_calloc(count, bytes));
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return shall_fail() ? NULL : note(__real_aligned_alloc(alignment, bytes));
}

/* The old address leaves the table before the real call, after which another thread may own it. */
void *__wrap_realloc(void *block, size_t bytes)
{
    if (shall_fail())
        return NULL;
    pthread_mutex_lock(&watch.lock);
    bool ours = take_out(block);
    pthread_mutex_unlock(&watch.lock);
    void *resized = __real_realloc(block, bytes);
    if (ours || !block)
        note(resized ? resized : block);
    return resized;
}

void __wrap_free(void *block)
{
    pthread_mutex_lock(&watch.lock);
    take_out(block);
    pthread_mutex_unlock(&watch.lock);
    __real_free(block);
}

void fail_alloc_at(size_t n)
{
    pthread_mutex_lock(&watch.lock);
    for (size_t i = 0; watch.live > 0 && i < SLOTS; i++)
        if (watch.slot[i]) {
            watch.slot[i] = NULL;
            watch.live--;
        }
    watch.count = 0;
    watch.failed = false;
    watch.fail_at = n;
    watch.on = true;
    pthread_mutex_unlock(&watch.lock);
}

void fail_alloc_off(void)
{
    pthread_mutex_lock(&watch.lock);
    watch.on = false;
    pthread_mutex_unlock(&watch.lock);
}

size_t fail_alloc_count(void)
{
    return watch.count;
}

bool fail_alloc_failed(void)
{
    return watch.failed;
}

size_t fail_alloc_live(void)
{
    return watch.live;
}

size_t for_each_allocation_failure(lg_status (*scenario)(void *context), void *context)
{
    /* The first run also makes what is made once per process and kept. */
    lg_error_clear();
    lg_status status = scenario(context);
    ck_assert_msg(status == LG_OK, "without any failure: %s", lg_error());

    for (size_t n = 1;; n++) {
        lg_error_clear();
        fail_alloc_at(n);
        status = scenario(context);
        fail_alloc_off();
        ck_assert_msg(fail_alloc_live() == 0, "allocation %zu failing leaves %zu blocks", n, fail_alloc_live());
        if (!fail_alloc_failed()) {
            ck_assert_msg(status == LG_OK, "run without a failure: %s", lg_error());
            return n - 1;
        }
        ck_assert_msg(status < 0, "allocation %zu failing is not reported", n);
        ck_assert_msg(lg_error_code() == LG_E_MEMORY, "allocation %zu failing gives: %s", n, lg_error());
        ck_assert_msg(lg_error()[0] != '\0', "allocation %zu failing gives no message", n);
    }
}
