#include "tensor/profile_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_ROWS 256 /* and the rest, to which those beyond count */

atomic_bool lg_profile_is_on;

static _Thread_local bool mine; /* this thread started the profile that runs */

/* Of the thread that started it, while it runs. */
static struct {
    lg_profile_row rows[MOST_ROWS + 1];
    size_t count;
    double start;
    double within; /* seconds of the spans that ended in the running one */
    double flops;  /* since it began */
    atomic_bool finished;
} profile;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

lg_status lg_profile_start(void)
{
    if (atomic_exchange(&lg_profile_is_on, true))
        return lg_fail(LG_E_STATE, "lg_profile_start: a profile runs already");
    atomic_store(&profile.finished, false);
    mine = true;
    profile.count = 0;
    profile.within = profile.flops = 0;
    profile.start = now();
    return LG_OK;
}

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const lg_profile_row *)a)->seconds, y = ((const lg_profile_row *)b)->seconds;
    return (x < y) - (x > y);
}

void lg_profile_stop(void)
{
    if (!mine)
        return;
    const double seconds = now() - profile.start;
    mine = false;
    qsort(profile.rows, profile.count, sizeof *profile.rows, by_seconds);
    lg_profile_row rest = { .name = "the rest", .phase = LG_PHASE_REST, .seconds = seconds };
    for (size_t i = 0; i < profile.count; i++)
        rest.seconds -= profile.rows[i].seconds;
    profile.rows[profile.count++] = rest;
    atomic_store(&profile.finished, true);
    atomic_store(&lg_profile_is_on, false);
}

bool lg_profile_running(void)
{
    return atomic_load(&lg_profile_is_on);
}

const lg_profile_row *lg_profile_rows(size_t *count)
{
    const bool finished = atomic_load(&profile.finished);
    *count = finished ? profile.count : 0;
    return finished ? profile.rows : NULL;
}

/* ------------------------------------------------------------------- spans */

void lg_profile_begin_span(lg_profile_span *span)
{
    span->measured = mine;
    if (!mine)
        return;
    span->within = profile.within;
    span->flops = profile.flops;
    profile.within = profile.flops = 0;
    span->start = now();
}

/* The row of that name and phase, new if there is none; NULL when there are too many. */
static lg_profile_row *row_of(const char *name, lg_profile_phase phase)
{
    for (size_t i = 0; i < profile.count; i++)
        if (profile.rows[i].phase == phase && strncmp(profile.rows[i].name, name, LG_PROFILE_NAME_BYTES - 1) == 0)
            return &profile.rows[i];
    if (profile.count == MOST_ROWS)
        return NULL;
    lg_profile_row *row = &profile.rows[profile.count++];
    *row = (lg_profile_row){ .phase = phase };
    snprintf(row->name, sizeof row->name, "%s", name);
    return row;
}

void lg_profile_end_span(const lg_profile_span *span, const char *name, lg_profile_phase phase, double bytes)
{
    if (!mine) /* stopped in between */
        return;
    const double elapsed = now() - span->start;
    lg_profile_row *row = row_of(name, phase);
    if (row) {
        row->calls++;
        row->seconds += elapsed - profile.within;
        row->flops += profile.flops;
        row->bytes += bytes;
    }
    profile.within = span->within + elapsed;
    profile.flops = span->flops;
}

void lg_profile_add_flops(double flops)
{
    if (mine)
        profile.flops += flops;
}

/* ------------------------------------------------------------------- table */

/* Three digits, as in "1.23 MB". */
static const char *amount(double value, const char *unit, char *text, size_t bytes)
{
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
    size_t p = 0;
    for (; value >= 999.5 && p + 1 < sizeof prefixes / sizeof *prefixes; p++)
        value /= 1000;
    snprintf(text, bytes, "%.*f %s%s", p == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, value, prefixes[p], unit);
    return text;
}

lg_status lg_profile_print(FILE *stream)
{
    static const char *const phases[] = { "forward", "backward", "update", "data", "" };
    size_t count;
    const lg_profile_row *rows = lg_profile_rows(&count);
    if (!stream)
        return lg_fail_null("lg_profile_print: the stream is NULL");
    if (!rows)
        return lg_fail(LG_E_STATE, "lg_profile_print: there is no profile that was stopped");
    double total = 0;
    for (size_t i = 0; i < count; i++)
        total += rows[i].seconds;
    bool fine = fprintf(stream, "%-36s %-8s %9s %11s %7s %13s %9s\n", "operation", "", "calls", "seconds", "share", "rate",
                        "bytes") >= 0;
    for (size_t i = 0; fine && i < count; i++) {
        const lg_profile_row *r = &rows[i];
        const double work = r->flops > 0 ? r->flops : r->bytes;
        char calls[24] = "", rate[32] = "", bytes[32] = "";
        if (r->calls)
            snprintf(calls, sizeof calls, "%llu", (unsigned long long)r->calls);
        if (work > 0 && r->seconds > 0)
            snprintf(rate, sizeof rate, "%.1f %s", 1e-9 * work / r->seconds, r->flops > 0 ? "GFLOP/s" : "GB/s");
        if (r->bytes > 0)
            amount(r->bytes, "B", bytes, sizeof bytes);
        fine = fprintf(stream, "%-36s %-8s %9s %11.6f %6.1f%%", r->name, phases[r->phase], calls, r->seconds,
                       total > 0 ? 100 * r->seconds / total : 0) >= 0;
        fine = fine && (*rate || *bytes ? fprintf(stream, " %13s %9s\n", rate, bytes) : fprintf(stream, "\n")) >= 0;
    }
    fine = fine && fprintf(stream, "%-36s %-8s %9s %11.6f %6.1f%%\n", "all", "", "", total, 100.0) >= 0;
    if (!fine || fflush(stream) != 0)
        return lg_fail(LG_E_IO, "lg_profile_print: %s", strerror(errno));
    return LG_OK;
}
