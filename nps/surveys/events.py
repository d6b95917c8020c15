"""What surveys tell other systems and members, and the names of their jobs."""

NPS_ANSWERED = "nps.answered"
CSAT_ANSWERED = "csat.answered"
NOTICE = "survey_answer"
ANSWER_JOB = "survey_answer"
WAVE_JOB = "survey_wave"
METRIC_SOURCE = "surveys"
MAIL_KEY = "survey"  # the prefix of the dedupe keys of our mails
