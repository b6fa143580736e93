"""Stems of words by what they are said of: what befalls patients, and what colleagues do and where. Pure.

One word of them decides nothing; `evidence` counts them in the sentence around a name. No word of illness or of the
health service is a person's name, so they also tell names from things with capitals.
"""

from digest.message.privacy.context import WORD
from digest.words import stem


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, WORD.findall(words)))


#: Findings, tests, treatments and turns of an illness.
CLINICAL = _stems(
    """
    abdomen abdominal abscess ache adenocarcinoma admission admitted allergy anaemia anaemic anemia anemic antibiotics
    anxious anxiety apixaban appetite appointment arthritis ascites aspirin asthma attended barium biopsied biopsy
    biopsies bleed bleeding bled bloated bloating blood bloods bowel breathless breathlessness bruising calcium cancer
    capsule carcinoma cardiac chemo chemotherapy chest cirrhosis clot coil colitis collapsed colonoscopy colposcopy
    confused constipated constipation copd cough coughing coughed creatinine crohn curative cyst cytology deaf death
    dementia depressed depression deteriorated diabetes diabetic diagnosed diagnosis diarrhoea died discharge
    discharged dysphagia dyspepsia dying dysplasia ectopic egfr elderly embolism endometrial endoscopy enlarged
    epigastric examination examined fainted falls fatigue fatigued ferritin fever fibroids fibroid fit-negative
    fracture frail frightened funeral gastroscopy glands goitre haematuria haemoglobin haemorrhage haemoptysis
    headache headaches hepatitis hernia histology hoarse hoarseness hospice hypertension hysteroscopy ibs ill illness
    immunotherapy incidental incontinent indigestion infection inpatient interpreter iron itching jaundice jaundiced
    kidney laparoscopy lesion leukaemia limp liver lobectomy lonely lump lumps lung lymphoma mammogram mastectomy
    melanoma menopausal menopause metastases metastatic metformin mets mole morphine myeloma nausea nephrectomy nodes
    nodule nodules numbness oedema oesophageal operable operation ovarian pain painful painless pains palpable
    palliation palliative palpitations pancreas pancreatic pancreatitis pelvis pessary platelets pleural pneumonia
    polyp polyps postmenopausal pregnant prescription prognosis prostate psa radiotherapy rash reassured rectal rectum
    referral referred reflux relapse relapsed remission resection sarcoma scan scans scanned scared scope scoped
    seizure sepsis septic shingles sick sleepless smear smoker smokes smoked sore spine spleen splenectomy sputum
    statin stent stoma stomach stroke surgery swallow swallowing swelling swollen symptom symptoms tender terminal
    testicle testicular thirst thirsty thrombocytosis thyroid tired tiredness tremor tumour tumor ulcer ultrasound
    unwell uterus vaginal vertigo vomit vomiting vomited wheeze wheezy womb weight xray cxr mri ct pet fbc crp hba1c
    uti gord gca dvt ttg ca125 wheelchair hoist catheter warfarin insulin inhaler inhalers downgraded upgraded
    rejected bounced triage triaged fit tww 2ww usc ptl recall recalled resus amoxicillin omeprazole ppi steroids
    tamoxifen carer carers bedbound housebound widowed grieving bereaved miscarriage
    """
)
#: What people do for a living in and around the health service, and where.
WORK = _stems(
    """
    academic administrator admin advisor adviser alliance analyst anaesthetist apprentice assistant author board
    cardiologist ceo chair chairman chaired chairs chairwoman chief clerk clinician cns coauthor colleague colleagues
    college commissioner commissioning committee conference consultant convenor coordinator coordinates councillor
    counsellor dean deputy dermatologist director doctor editor editorial endoscopist epidemiologist executive
    facilitator federation fellow foundation fundraiser gastroenterologist geneticist geriatrician gynaecologist
    haematologist histopathologist hub icb icbs infirmary institute interim keynote laboratory lecturer lecture
    librarian locum macmillan manager managers matron minister mp navigator neurologist nurse nurses officer
    oncologist organiser paper pathologist pcn pharmacist phlebotomist physician physio physiotherapist podcast
    practitioner presenter president principal professor programme psychologist publication radiographer radiologist
    receptionist rep representative researcher registrar secretary secretaries senior slides sonographer speaker
    speakers specialist spokesperson statistician strategy study superintendent supervisor surgeon talk teacher team
    therapist trainee trainer treasurer trust trustee tutor university urologist volunteer webinar workshop workstream
    bmj bjgp lancet abstract chapter cochrane
    """
)
