/* Ranking losses: which of two things comes first.
 *
 * What options mean, and how units are reduced and weighted, is in loss.h. NULL on error, see lg_error(). */
#ifndef LG_RANKING_H
#define LG_RANKING_H

#include "losses/loss.h"

LG_BEGIN_DECLS

/* Margin ranking loss: y = 1 where the first score is to be the larger, -1 where the second is.
 *
 *   m = margin - y (first - second):   loss = max(0, m)
 *   d loss / d first = -y [m > 0] = -d loss / d second
 *
 * first, second   any shape, the same, scores; both differentiable
 * target   the same shape, -1 or 1 (else LG_E_DOMAIN)
 * margin   finite; 0 is PyTorch's
 * units    elements
 * same as  torch.nn.MarginRankingLoss */
LG_API lg_tensor *lg_margin_ranking(lg_tape *tape, lg_tensor *first, lg_tensor *second, lg_tensor *target,
                                    double margin, const lg_loss_options *options);

LG_END_DECLS

#endif
