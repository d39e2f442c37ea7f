/* The workloads that luge is measured by, through its public API alone: a step records, goes backward and updates, on a
 * batch that is in memory. Data and first weights come from a generator of a few lines (drawn, below), which
 * rivals/data.py repeats, so that every contestant computes the same.
 *
 *     session *s = session_new(workload_find("c"));
 *     if (!s || !session_run(s, 100))
 *         ...lg_error()...
 *     printf("%g\n", lg_tensor_item(s->loss));
 *     session_free(s); */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include <luge.h>

typedef struct session session;

/* What a step does at least beside matrix products (bare.h). */
typedef struct bare_work {
    size_t parameters, arrays;  /* each is a number of value, state and gradient: 2 with SGD, 4 with Adam; 0: no update */
    size_t elements;            /* of what follows, in the loss or the activations */
    size_t read, written;       /* arrays that the cache does not hold; no more are written than read */
    size_t exponentials;        /* of each element; a logarithm or a tanh counts as one */
    size_t activations;         /* whose derivatives are a pass by itself, of two arrays read and one written */
} bare_work;

typedef struct workload {
    const char *name, *what;
    size_t samples;                  /* of a step; elements where there are no samples */
    double flops;                    /* of a step's matrix products: 2 m n k each */
    size_t granule;                  /* session_run makes a multiple of so many steps; 0: any number */
    bool (*make)(session *s);        /* tensors, layers, optimizer; false with lg_error() */
    lg_tensor *(*record)(session *s); /* the forward pass of one step; its loss */
    bool (*run)(session *s, size_t steps); /* instead of record, for what is no such step */
    bare_work bare;
} workload;

enum { SESSION_TENSORS = 4, SESSION_LAYERS = 65 };

struct session {
    const workload *workload;
    unsigned drawn; /* arrays so far */
    lg_tape *tape;
    lg_params *params;
    lg_dense *layers[SESSION_LAYERS];
    lg_optimizer *optimizer;            /* NULL: nothing is updated */
    lg_tensor *tensors[SESSION_TENSORS]; /* on the heap: the batch */
    lg_tensor *leaves[SESSION_TENSORS];  /* on the tape, of the first `leaf_count` tensors: these want gradients */
    size_t leaf_count;
    double placing, placing_processor; /* seconds so far of putting them there: not part of a step (workloads.c) */
    lg_dataset *dataset;
    size_t position; /* steps so far */
    lg_tensor *loss; /* of the last step, on the tape; */
    double value;    /* the same, also where a tape is not ours */
};

/* By name ("c", "i.mse"), or in order; NULL if there is none. */
const workload *workload_find(const char *name);
const workload *workload_at(size_t index);

/* Whether `choice` names the workload or the letter it begins with: "f" is f1 and f2. */
bool workload_chosen(const workload *w, const char *choice);

/* NULL, or false, with lg_error(). */
session *session_new(const workload *w);
bool session_run(session *s, size_t steps);
void session_free(session *s);

/* Length of all gradients of leaves after a step; 0 where there are only parameters. */
double session_gradient(const session *s);

/* Seconds of session_run: wall clock, and processor; less the placing of leaves. */
typedef struct session_time {
    double wall, processor;
} session_time;
bool session_time_steps(session *s, size_t steps, session_time *time);

/* The next array of this workload: low + (high - low) u, u even in [0, 1) with 24 bits; or floor(u below). */
lg_tensor *draw(session *s, size_t rank, const size_t *dims, double low, double high);
lg_tensor *draw_indices(session *s, size_t rank, const size_t *dims, size_t below);

/* Layer `index` in -> out, weight and bias even in +-1 / sqrt(in), drawn in this order. */
bool draw_dense(session *s, size_t index, size_t in, size_t out, lg_activation activation);

extern const workload *const model_workloads[], *const loss_workloads[]; /* each ends with NULL */

#endif
