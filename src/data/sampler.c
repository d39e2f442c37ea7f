/* The order of rows in an epoch (split.h). */
#include <stdlib.h>
#include <string.h>

#include "data/dataset_internal.h"
#include "data/split.h"
#include "tensor/memory_internal.h"

struct lg_sampler {
    size_t rows;
    bool shuffle;
    lg_rng rng;
    size_t *order; /* [rows] of the running epoch, or of the running window; NULL: as rows come */
    size_t given;  /* rows of the epoch that were given away */

    /* Rows that are read in blocks: run r, rows run[r] .. run[r + 1] - 1, is of one block. `held` of them make a window, in
     * which rows are shuffled. No runs: all rows are one window. */
    size_t run_count, held, *run, *run_order, *members;
    size_t next_run, count, used; /* of the running window: its rows, and how many of them were given away */
    lg_rng now;
};

/* ---- making -------------------------------------------------------------------------------------------------------- */

/* Room for the numbers of `rows` rows. */
static size_t *new_order(size_t rows)
{
    size_t bytes;
    return lg_aligned_alloc(lg_size_mul(rows, sizeof(size_t), &bytes) ? bytes : SIZE_MAX, "sampler");
}

lg_sampler *lg_sampler_new(size_t rows, bool shuffle, const lg_rng *rng)
{
    if (shuffle && !rng) {
        lg_fail_null("sampler: shuffling needs a random generator");
        return NULL;
    }
    lg_sampler *sampler = lg_calloc(1, sizeof *sampler, "sampler");
    size_t *order = new_order(rows);
    if (!sampler || !order) {
        free(sampler);
        free(order);
        return NULL;
    }
    *sampler = (lg_sampler){ .rows = rows, .shuffle = shuffle, .order = order };
    if (shuffle)
        sampler->rng = *rng;
    for (size_t i = 0; i < rows; i++)
        order[i] = i;
    return sampler;
}

static size_t block_of(const lg_dataset *dataset, size_t row)
{
    return (dataset->original ? dataset->row_map[row] : row) / lg_dataset_original(dataset)->source.block_rows;
}

/* Where the block changes from one row to the next. */
static lg_status find_runs(lg_sampler *sampler, const lg_dataset *dataset)
{
    size_t count = 1;
    for (size_t row = 1; row < sampler->rows; row++)
        count += block_of(dataset, row) != block_of(dataset, row - 1);
    sampler->held = lg_dataset_original(dataset)->source.held_blocks;
    if (count <= sampler->held)
        return LG_OK;
    sampler->run = lg_calloc(count + 1, sizeof *sampler->run, "sampler");
    sampler->run_order = lg_calloc(count, sizeof *sampler->run_order, "sampler");
    if (!sampler->run || !sampler->run_order)
        return LG_E_MEMORY;
    for (size_t row = 1; row < sampler->rows; row++)
        if (block_of(dataset, row) != block_of(dataset, row - 1))
            sampler->run[++sampler->run_count] = row;
    sampler->run[++sampler->run_count] = sampler->rows;
    return LG_OK;
}

/* Room for the rows of a window: of the longest run, as many times as it may come. */
static lg_status allocate_window(lg_sampler *sampler)
{
    size_t longest = 0, rows = sampler->rows;
    for (size_t r = 0; r < sampler->run_count; r++)
        if (sampler->run[r + 1] - sampler->run[r] > longest)
            longest = sampler->run[r + 1] - sampler->run[r];
    if (longest < rows / sampler->held)
        rows = longest * sampler->held;
    sampler->order = lg_calloc(rows, sizeof *sampler->order, "sampler");
    sampler->members = lg_calloc(rows, sizeof *sampler->members, "sampler");
    return sampler->order && sampler->members ? LG_OK : LG_E_MEMORY;
}

lg_sampler *lg_sampler_for(const lg_dataset *dataset, bool shuffle, const lg_rng *rng)
{
    if (!dataset || (shuffle && !rng)) {
        lg_fail_null("sampler: no %s", dataset ? "random generator to shuffle by" : "data set");
        return NULL;
    }
    const size_t rows = lg_dataset_rows(dataset);
    const bool blocks = lg_dataset_original(dataset)->source.block_rows > 0;
    lg_sampler *sampler = lg_calloc(1, sizeof *sampler, "sampler");
    if (!sampler)
        return NULL;
    *sampler = (lg_sampler){ .rows = rows, .shuffle = shuffle };
    if (shuffle)
        sampler->rng = *rng;
    lg_status status = shuffle && blocks ? find_runs(sampler, dataset) : LG_OK;
    if (status == LG_OK && sampler->run_count)
        status = allocate_window(sampler);
    else if (status == LG_OK && shuffle)
        status = (sampler->order = new_order(rows)) ? LG_OK : LG_E_MEMORY;
    if (status == LG_OK)
        return sampler;
    lg_sampler_free(sampler);
    return NULL;
}

void lg_sampler_free(lg_sampler *sampler)
{
    if (!sampler)
        return;
    free(sampler->order);
    free(sampler->run);
    free(sampler->run_order);
    free(sampler->members);
    free(sampler);
}

size_t lg_sampler_rows(const lg_sampler *sampler)
{
    return sampler ? sampler->rows : 0;
}

size_t lg_sampler_window(const lg_sampler *sampler)
{
    return sampler && sampler->run_count ? sampler->held : 0;
}

/* ---- epochs -------------------------------------------------------------------------------------------------------- */

void lg_sampler_begin(lg_sampler *sampler, uint64_t epoch)
{
    if (!sampler)
        return;
    sampler->given = sampler->next_run = sampler->count = sampler->used = 0;
    if (!sampler->shuffle)
        return;
    sampler->now = lg_rng_split(&sampler->rng, epoch);
    if (sampler->run_count)
        lg_rng_permutation(&sampler->now, sampler->run_count, sampler->run_order);
    else
        lg_rng_permutation(&sampler->now, sampler->rows, sampler->order);
}

/* The rows of the next `held` runs, mixed. */
static void begin_window(lg_sampler *sampler)
{
    size_t count = 0;
    for (size_t k = 0; k < sampler->held && sampler->next_run < sampler->run_count; k++) {
        const size_t r = sampler->run_order[sampler->next_run++];
        for (size_t row = sampler->run[r]; row < sampler->run[r + 1]; row++)
            sampler->members[count++] = row;
    }
    lg_rng_permutation(&sampler->now, count, sampler->order);
    for (size_t i = 0; i < count; i++)
        sampler->order[i] = sampler->members[sampler->order[i]];
    sampler->count = count;
    sampler->used = 0;
}

size_t lg_sampler_next(lg_sampler *sampler, size_t count, size_t *ids)
{
    if (!sampler || !ids)
        return 0;
    size_t got = 0;
    for (; got < count && sampler->given < sampler->rows; got++, sampler->given++) {
        if (sampler->run_count && sampler->used == sampler->count)
            begin_window(sampler);
        ids[got] = !sampler->order      ? sampler->given
                   : sampler->run_count ? sampler->order[sampler->used++]
                                        : sampler->order[sampler->given];
    }
    return got;
}

const size_t *lg_sampler_epoch(lg_sampler *sampler, uint64_t epoch)
{
    if (!sampler || !sampler->order || sampler->run_count)
        return NULL;
    lg_sampler_begin(sampler, epoch);
    return sampler->order;
}
