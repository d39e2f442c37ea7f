/* Optimizers: what changes the parameters of a set, given their gradients.
 *
 *     lg_optimizer *adam = lg_adam_new(params, &(lg_adam_options){ .learning_rate = 1e-3 });
 *     ...each step: lg_backward(tape, loss), then
 *     lg_optimizer_step(adam);
 *     lg_optimizer_zero_grad(adam);
 *     ...at the end
 *     lg_optimizer_free(adam);
 *
 * Formulas, defaults and results are PyTorch's (torch.optim, 2.13). In them g is the gradient, p the parameter, and t
 * counts steps from 1. Within a step, numbers so small that they are subnormal count as 0 on x86-64.
 *
 * Options are structs; NULL or all zero gives the defaults. A field that is 0 takes its default. Where its default is
 * another number and zero itself is wanted, write LG_ZERO: .beta1 = LG_ZERO. An option outside its range is LG_E_PARAM
 * and makes the constructor return NULL, as NULL params do.
 *
 * A parameter set may have several optimizers, and a program several sets. While an optimizer of a set lives, nothing
 * can be added to the set: make the layers first. An optimizer and its set are used by one thread at a time. */
#ifndef LG_OPTIMIZER_H
#define LG_OPTIMIZER_H

#include "autograd/params.h"

LG_BEGIN_DECLS

/* Zero on purpose, for options whose default is another number. It is the negative zero of IEEE 754, which is told
 * from a field left out by its sign and counts as zero everywhere else. */
#define LG_ZERO (-0.0)

typedef struct lg_optimizer lg_optimizer;

/* Stochastic gradient descent.
 *
 *   g <- g + weight_decay p
 *   b <- g at the first step, then  momentum b + (1 - dampening) g                        with momentum
 *   p <- p - learning_rate d,   d = g;  b with momentum;  g + momentum b with nesterov
 *
 * nesterov needs momentum > 0 and dampening 0.
 * same as  torch.optim.SGD;  Sutskever et al., "On the importance of initialization and momentum", ICML 2013 */
typedef struct lg_sgd_options {
    double learning_rate; /* >= 0; default 1e-3 */
    double momentum;      /* >= 0; default 0 */
    double dampening;     /* 0 .. 1; default 0 */
    double weight_decay;  /* >= 0; default 0 */
    bool nesterov;
} lg_sgd_options;
LG_API lg_optimizer *lg_sgd_new(lg_params *params, const lg_sgd_options *options);

/* Adam, and AdamW, which differ in what weight decay does: Adam adds it to the gradient, AdamW shrinks the parameter.
 *
 *   g <- g + weight_decay p                     Adam
 *   p <- p - learning_rate weight_decay p       AdamW
 *   m <- beta1 m + (1 - beta1) g
 *   v <- beta2 v + (1 - beta2) g^2
 *   p <- p - learning_rate  m / (1 - beta1^t)  /  (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * same as  torch.optim.Adam, AdamW;  Kingma & Ba, "Adam", ICLR 2015; Loshchilov & Hutter, "Decoupled weight decay
 *          regularization", ICLR 2019 */
typedef struct lg_adam_options {
    double learning_rate; /* >= 0; default 1e-3 */
    double beta1;         /* 0 <= beta1 < 1; default 0.9 */
    double beta2;         /* 0 <= beta2 < 1; default 0.999 */
    double epsilon;       /* >= 1e-37; default 1e-8 */
    double weight_decay;  /* >= 0; default 0 for Adam, 0.01 for AdamW */
} lg_adam_options;
LG_API lg_optimizer *lg_adam_new(lg_params *params, const lg_adam_options *options);
LG_API lg_optimizer *lg_adamw_new(lg_params *params, const lg_adam_options *options);

/* RMSprop.
 *
 *   g <- g + weight_decay p
 *   v <- alpha v + (1 - alpha) g^2
 *   a <- alpha a + (1 - alpha) g                                          with centered; otherwise a = 0
 *   d <- g / (sqrt(v - a^2) + epsilon)        (v - a^2 is taken as 0 where rounding makes it negative)
 *   b <- momentum b + d                                                   with momentum; otherwise b = d
 *   p <- p - learning_rate b
 *
 * same as  torch.optim.RMSprop;  Tieleman & Hinton, lecture 6.5, 2012; Graves, arXiv:1308.0850 (centered) */
typedef struct lg_rmsprop_options {
    double learning_rate; /* >= 0; default 0.01 */
    double alpha;         /* 0 <= alpha < 1; default 0.99 */
    double epsilon;       /* >= 1e-37; default 1e-8 */
    double momentum;      /* >= 0; default 0 */
    double weight_decay;  /* >= 0; default 0 */
    bool centered;
} lg_rmsprop_options;
LG_API lg_optimizer *lg_rmsprop_new(lg_params *params, const lg_rmsprop_options *options);

/* An optimizer by its name: "sgd", "momentum" (SGD with momentum 0.9), "nesterov" (that, with nesterov), "adam",
 * "adamw", "rmsprop". learning_rate 0 takes the optimizer's default; the other options have theirs. An unknown name is
 * LG_E_PARAM, and the message names the nearest. */
LG_API lg_optimizer *lg_optimizer_by_name(const char *name, lg_params *params, double learning_rate);

/* The i-th of these names, for lists and help texts; NULL beyond the last. */
LG_API const char *lg_optimizer_known(size_t i);

/* Ends the optimizer's hold on its set; NULL is harmless. */
LG_API void lg_optimizer_free(lg_optimizer *optimizer);

/* Updates every parameter of the set by its gradient, in one sweep and without allocating. A tensor that no backward
 * has reached since its gradient was zeroed counts as having the gradient 0, so that momentum and weight decay go on
 * acting on it; one that requires no gradient (lg_tensor_require_grad(tensor, false)) is left as it is. Gradients stay as they are: backward adds to them until they are zeroed, which is how gradients of
 * several batches are accumulated. A gradient that is NaN or infinite passes into its parameter, and to no other.
 * LG_E_PARAM for NULL. */
LG_API lg_status lg_optimizer_step(lg_optimizer *optimizer);

/* Zeroes the gradients of the optimizer's set: lg_params_zero_grad. */
LG_API void lg_optimizer_zero_grad(lg_optimizer *optimizer);

/* The learning rate of the next step. Setting wants a finite number >= 0, where 0 is 0 (LG_E_PARAM otherwise, and the
 * rate stays). */
LG_API double lg_optimizer_learning_rate(const lg_optimizer *optimizer);
LG_API lg_status lg_optimizer_set_learning_rate(lg_optimizer *optimizer, double learning_rate);

/* The set it works on; the steps it has made; its name ("sgd", "adam", "adamw", "rmsprop"). Of NULL: NULL, 0, NULL;
 * its learning rate is 0. */
LG_API lg_params *lg_optimizer_params(const lg_optimizer *optimizer);
LG_API uint64_t lg_optimizer_steps(const lg_optimizer *optimizer);
LG_API const char *lg_optimizer_name(const lg_optimizer *optimizer);

LG_END_DECLS

#endif
