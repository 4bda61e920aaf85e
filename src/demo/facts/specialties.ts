/**
 * Specialties with the codes by which the NHS knows them: SNOMED CT, the treatment function of UK Core's PracticeSettingCode, and the
 * specialty and clinic types of e-RS. `reasons` are SNOMED CT findings that a referral to the specialty may state.
 */
export type Coded = { readonly code: string; readonly display: string };
export type Specialty = {
  readonly snomed: Coded;
  readonly treatmentFunction: Coded;
  readonly ers: Coded;
  readonly clinicTypes: readonly Coded[];
  readonly reasons: readonly Coded[];
  readonly minimumAge?: number;
  readonly maximumAge?: number;
  readonly gender?: 'female';
};

const coded = (code: string, display: string): Coded => ({ code, display });

export const specialties: readonly Specialty[] = [
  {
    snomed: coded('394579002', 'Cardiology'),
    treatmentFunction: coded('320', 'Cardiology'),
    ers: coded('CARDIOLOGY', 'Cardiology'),
    clinicTypes: [
      coded('ARRHYTHMIA', 'Arrhythmia'),
      coded('HEART_FAILURE', 'Heart Failure'),
      coded('RAPID_ACCESS_CHEST_PAIN', 'Rapid Access Chest Pain'),
    ],
    reasons: [coded('80313002', 'Palpitations'), coded('29857009', 'Chest pain'), coded('267036007', 'Dyspnea')],
    minimumAge: 16,
  },
  {
    snomed: coded('394582007', 'Dermatology'),
    treatmentFunction: coded('330', 'Dermatology'),
    ers: coded('DERMATOLOGY', 'Dermatology'),
    clinicTypes: [coded('ECZEMA_AND_DERMATITIS', 'Eczema and Dermatitis'), coded('PSORIASIS', 'Psoriasis'), coded('ACNE', 'Acne')],
    reasons: [coded('271807003', 'Eruption of skin'), coded('9014002', 'Psoriasis'), coded('24079001', 'Atopic dermatitis')],
  },
  {
    snomed: coded('394801008', 'Trauma and orthopaedics'),
    treatmentFunction: coded('110', 'Trauma and Orthopaedics'),
    ers: coded('ORTHOPAEDICS', 'Orthopaedics'),
    clinicTypes: [coded('HIP', 'Hip'), coded('KNEE', 'Knee'), coded('HAND_AND_WRIST', 'Hand and Wrist')],
    reasons: [coded('57676002', 'Joint pain'), coded('239873007', 'Osteoarthritis of knee'), coded('161891005', 'Backache')],
    minimumAge: 16,
  },
  {
    snomed: coded('394584008', 'Gastroenterology'),
    treatmentFunction: coded('301', 'Gastroenterology'),
    ers: coded('GI_AND_LIVER', 'GI and Liver (Medicine and Surgery)'),
    clinicTypes: [coded('UPPER_GI', 'Upper GI'), coded('LOWER_GI', 'Lower GI (medical)'), coded('HEPATOLOGY', 'Hepatology')],
    reasons: [coded('21522001', 'Abdominal pain'), coded('62315008', 'Diarrhea'), coded('235595009', 'Gastroesophageal reflux disease')],
    minimumAge: 16,
  },
  {
    snomed: coded('394604002', 'Ear, nose and throat surgery'),
    treatmentFunction: coded('120', 'Ear Nose and Throat'),
    ers: coded('EAR_NOSE_THROAT', 'Ear, Nose and Throat'),
    clinicTypes: [coded('EAR', 'Ear'), coded('NOSE_AND_SINUS', 'Nose and Sinus'), coded('THROAT', 'Throat')],
    reasons: [coded('15188001', 'Hearing loss'), coded('60862001', 'Tinnitus'), coded('404640003', 'Dizziness')],
  },
  {
    snomed: coded('394594003', 'Ophthalmology'),
    treatmentFunction: coded('130', 'Ophthalmology'),
    ers: coded('OPHTHALMOLOGY', 'Ophthalmology'),
    clinicTypes: [coded('CATARACT', 'Cataract'), coded('GLAUCOMA', 'Glaucoma'), coded('CORNEA', 'Cornea')],
    reasons: [coded('193570009', 'Cataract'), coded('23986001', 'Glaucoma')],
  },
  {
    snomed: coded('394591006', 'Neurology'),
    treatmentFunction: coded('400', 'Neurology'),
    ers: coded('NEUROLOGY', 'Neurology'),
    clinicTypes: [coded('HEADACHE', 'Headache'), coded('EPILEPSY', 'Epilepsy'), coded('MOVEMENT_DISORDERS', 'Movement Disorders')],
    reasons: [coded('25064002', 'Headache'), coded('37796009', 'Migraine'), coded('84757009', 'Epilepsy')],
    minimumAge: 16,
  },
  {
    snomed: coded('418112009', 'Pulmonary medicine'),
    treatmentFunction: coded('340', 'Respiratory Medicine'),
    ers: coded('RESPIRATORY_MEDICINE', 'Respiratory Medicine'),
    clinicTypes: [coded('ASTHMA', 'Asthma'), coded('COPD', 'COPD'), coded('INTERSTITIAL_LUNG_DISEASE', 'Interstitial Lung Disease')],
    reasons: [coded('49727002', 'Cough'), coded('195967001', 'Asthma'), coded('13645005', 'Chronic obstructive lung disease')],
    minimumAge: 16,
  },
  {
    snomed: coded('394810000', 'Rheumatology'),
    treatmentFunction: coded('410', 'Rheumatology'),
    ers: coded('RHEUMATOLOGY', 'Rheumatology'),
    clinicTypes: [coded('INFLAMMATORY_ARTHRITIS', 'Inflammatory Arthritis'), coded('OSTEOPOROSIS', 'Osteoporosis')],
    reasons: [coded('69896004', 'Rheumatoid arthritis'), coded('57676002', 'Joint pain')],
    minimumAge: 16,
  },
  {
    snomed: coded('394612005', 'Urology'),
    treatmentFunction: coded('101', 'Urology'),
    ers: coded('UROLOGY', 'Urology'),
    clinicTypes: [coded('HAEMATURIA', 'Haematuria'), coded('PROSTATE', 'Prostate'), coded('STONES', 'Stones')],
    reasons: [coded('34436003', 'Blood in urine'), coded('162116003', 'Increased frequency of urination')],
    minimumAge: 16,
  },
  {
    snomed: coded('394586005', 'Gynecology'),
    treatmentFunction: coded('502', 'Gynaecology'),
    ers: coded('GYNAECOLOGY', 'Gynaecology'),
    clinicTypes: [coded('MENSTRUAL_DISORDERS', 'Menstrual Disorders'), coded('PELVIC_PAIN', 'Pelvic Pain')],
    reasons: [coded('386692008', 'Menorrhagia'), coded('129103003', 'Endometriosis')],
    minimumAge: 16,
    gender: 'female',
  },
  {
    snomed: coded('394583002', 'Endocrinology'),
    treatmentFunction: coded('302', 'Endocrinology and Diabetes'),
    ers: coded('ENDOCRINOLOGY_AND_METABOLIC_MEDICINE', 'Endocrinology and Metabolic Medicine'),
    clinicTypes: [coded('THYROID_AND_PARATHYROID', 'Thyroid and Parathyroid'), coded('ADRENAL_DISORDERS', 'Adrenal Disorders')],
    reasons: [coded('40930008', 'Hypothyroidism'), coded('44054006', 'Diabetes mellitus type 2')],
    minimumAge: 16,
  },
  {
    snomed: coded('394803006', 'Clinical hematology'),
    treatmentFunction: coded('303', 'Clinical Haematology'),
    ers: coded('HAEMATOLOGY', 'Haematology'),
    clinicTypes: [coded('HAEMOGLOBINOPATHIES', 'Haemoglobinopathies'), coded('CLOTTING_DISORDERS', 'Clotting Disorders')],
    reasons: [coded('271737000', 'Anemia')],
    minimumAge: 16,
  },
  {
    snomed: coded('394589003', 'Nephrology'),
    treatmentFunction: coded('361', 'Renal Medicine'),
    ers: coded('NEPHROLOGY', 'Nephrology'),
    clinicTypes: [coded('RENAL_STONES', 'Renal Stones'), coded('HYPERTENSION_RENAL', 'Hypertension (Renal)')],
    reasons: [coded('709044004', 'Chronic kidney disease')],
    minimumAge: 16,
  },
  {
    snomed: coded('394811001', 'Geriatric medicine'),
    treatmentFunction: coded('430', 'Geriatric Medicine'),
    ers: coded('GERIATRIC_MEDICINE', 'Geriatric Medicine'),
    clinicTypes: [coded('FALLS', 'Falls'), coded('STROKE_AND_TIA', 'Stroke and TIA')],
    reasons: [coded('161898004', 'Falls'), coded('404640003', 'Dizziness')],
    minimumAge: 65,
  },
  {
    snomed: coded('394537008', 'Pediatric specialty'),
    treatmentFunction: coded('420', 'Paediatrics'),
    ers: coded('CHILDRENS_AND_ADOLESCENT_SERVICES', "Children's and Adolescent Services"),
    clinicTypes: [coded('PAEDIATRIC_ALLERGY', 'Paediatric Allergy'), coded('PAEDIATRIC_ASTHMA', 'Paediatric Asthma')],
    reasons: [coded('195967001', 'Asthma'), coded('24079001', 'Atopic dermatitis')],
    maximumAge: 17,
  },
  {
    snomed: coded('408439002', 'Allergy'),
    treatmentFunction: coded('317', 'Allergy'),
    ers: coded('ALLERGY', 'Allergy'),
    clinicTypes: [coded('ALLERGY_1', 'Allergy')],
    reasons: [coded('91935009', 'Allergy to peanut')],
  },
  {
    snomed: coded('394609007', 'General surgery'),
    treatmentFunction: coded('100', 'General Surgery'),
    ers: coded('SURGERY_NOT_OTHERWISE_SPECIFIED', 'Surgery - Not Otherwise Specified'),
    clinicTypes: [coded('LUMPS_AND_BUMPS', 'Lumps and Bumps')],
    reasons: [coded('396232000', 'Inguinal hernia'), coded('21522001', 'Abdominal pain')],
    minimumAge: 16,
  },
];
