/* Ctrl-C once training is over: while models of folds are trained, a report is written, a picture drawn. lg_fit has its
 * own way with signals, by which it ends early and says so (lg_history_signal); before it a signal just kills. */
#ifndef EXAMPLES_INTERRUPT_H
#define EXAMPLES_INTERRUPT_H

/* From here on SIGINT and SIGTERM are only noted, once: a second one kills. */
void interrupt_watch(void);

/* The signal that was noted, or told by interrupt_tell, since lg_fit was another's; 0: none. */
int interrupt_signal(void);
void interrupt_tell(int signal_number);

#endif
