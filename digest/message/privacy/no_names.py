"""Words with a capital that are no names by themselves, and names that are words, too."""

from digest.message.privacy.context import WORD

#: Words that begin a sentence or a heading, name things called after people, or places: no names by themselves.
NOT_NAMES = frozenset(
    WORD.findall(
        """
        mob tel mobile phone fax email web hiya heya hullo howdy bence annexe annex guildhall salon arcade chapel
        church hostel bungalow cottage farm library school theatre fwd fw caldicott meeting good the an we he she it
        they this that these those dear hi hello hey and but or so if when where who what which why how our my your
        his her their its no yes not none never in on at for with from to of by as is was are were has had have be
        been do did does please thanks thank sorry sent seen see well very some many most all any each both only also
        just now then there here after before since until while during once again perhaps maybe however although
        because january february march april may june july august september october november december jan feb mar apr
        jun jul aug sept sep oct nov dec monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu
        thurs fri sat sun easter christmas nhs gp gps fit fds usc nss rdc mdc mdt mdts pcn pcns icb icbs cdc ct mri
        psa cxr egd ogd nice emis systmone ardens macmillan cancer alliance hospital hospitals trust clinic surgery
        practice centre center medical royal infirmary university college health care primary secondary public
        community services service department unit ward court house home hall castle park north south east west
        northern southern eastern western greater upper lower great new old saint london manchester england english
        british britain scottish scotland welsh wales irish ireland uk european european indian pakistani bangladeshi
        polish chinese african caribbean asian somali romanian jewish muslim christian sikh hindu black white-british
        crohn crohns barrett barretts parkinson hodgkin lynch paget ewing virchow type stage grade covid diabetes
        disease syndrome patient patients information leaflet safety incident response framework participation
        initiated follow up group forum navigator navigators charter experience access survey portal record records
        line transport liaison choice voice involvement engagement pathology radiology level floor block room suite
        reception pathway reported outcome outcomes measures association partner partners society research england
        trial study test tests result results negative positive instructions faecal immunochemical smear scan referral
        referrals guideline guidance report letter form consent risk score tool template network networks men women
        child children queen king prince princess elizabeth page inn hotel
        """
    )
)
#: Places that mails among British doctors name, and Welsh words that stand in their signatures.
PLACES = frozenset(
    WORD.findall(
        """
        cheshire merseyside cumbria lancashire yorkshire humber humberside tyne wear northumbria northumberland essex
        sussex surrey hampshire dorset devon cornwall somerset wiltshire gloucestershire oxfordshire buckinghamshire
        bedfordshire hertfordshire cambridgeshire norfolk suffolk lincolnshire nottinghamshire derbyshire
        leicestershire rutland northamptonshire warwickshire worcestershire herefordshire shropshire staffordshire
        peninsula thames wessex midlands mersey severn solent anglia leeds bradford sheffield salford bolton oldham
        rochdale stockport tameside trafford wigan liverpool birmingham coventry wolverhampton leicester nottingham
        derby norwich ipswich cambridge oxford reading bristol bath plymouth exeter southampton portsmouth brighton
        newcastle sunderland gateshead middlesbrough cardiff swansea newport wrexham glasgow edinburgh aberdeen dundee
        inverness belfast derry lothian tayside lanarkshire grampian orkney shetland poland germany france spain italy
        nigeria ghana kenya somalia syria iraq iran pakistan india bangladesh china ukraine romania bulgaria albania
        turkey portugal greece cyprus malta australia canada america zealand zimbabwe uganda jamaica belgium
        netherlands europe africa asia caribbean cwm taf morgannwg betsi cadwaladr hywel dda aneurin bevan powys gwent
        gofal sylfaenol iechyd canser bwrdd meddyg cymru arweinydd anfonwyd oddi wrth pwnc diolch cofion healthwatch
        """
    )
)
ALSO_SURNAMES = frozenset(
    WORD.findall(
        """
        may king page hall park black lynch paget hodgkin ewing barrett parkinson castle house court ward north west
        east old new prince england ireland london public field stage grade bond society
        """
    )
)
#: First names that are words of the language, too.
ALSO_WORDS = frozenset(
    WORD.findall(
        """
        abbey baby amber amity angel april archer art aura august barney basil beau bee bell belle benny berry beryl
        bill billy birdie blessing bob bobby bonny brad brook brooks bud buddy candy carol celeste chance chandler
        charity chase cherry christen christian chuck clay clement cliff clover colleen comfort constance coral
        crystal dahlia daisy dale dawn dean deb dell den derrick dick dolly don dot dotty duke earl ebony eddy em
        emery ester eve faith fanny fay felicity fern flora francis frank franklin gabby gale gay gene gift gill
        ginger glen glory grace grant guy hank harmony harry hazel heath heather hector herb holly homer honey hope
        hunter iris ivy jack jade jasmine jasper jay jewel jimmy jo john johnny josh joy julienne june juniper ken kit
        kitty lance laurel lea lee leo les lily luke mac madge marcel marguerite maria marigold marina mark marlin
        martin mason matt max maxim may mead meg melody mercy midge mike miles misty moll molly morris myrtle nelly
        nick noel norm olive opal paddy pansy pat patience patsy patty pearl peg peggy penny percy peter petunia
        phoebe pierce pip piper polly poppy precious primrose prudence ralph ray reed rex rhea rich rick rob robin
        rocky rod roger roman ron rose rosemary rosy royal ruby rusty saffron sage sally sam sandy sapphire scarlet
        scot serge sheila shell sherry sibyl sid sienna skip sky sol sonny sterling sue summer sunny tad taffy terry
        tim timothy toby tom tommy tony troy trudy urban valentine velvet vera verity vic victor victoria vince viola
        violet viva wade warren will willow wren young white brown green gray grey wood woods street best good day
        long short small moore price cook baker taylor carter ward
        """
    )
)
#: Single capital words behind "Mr": not a person.
NO_SURNAME = frozenset({"chairman", "speaker", "president", "justice", "men", "mayor", "minister", "and"})
#: Pairs of capitals that are no initials.
NO_INITIALS = frozenset(
    WORD.findall(
        """
        GP CT MR US UK PR PV PE BP HB WW OP OA NB RE CC PS ID IT AI QI FH PH LH RH LN IV IM PN SN CA TB GI GU ED AE OK
        FY DOB NHS MRN CHI CXR MRI USS FIT PSA FBC CRP ESR IDA PMB NSS RDC USC TWW HRT COPD BMI LFT DNA
        """
    )
)
#: Titles of those who look after patients, and of public persons.
STAFF_TITLES = frozenset({"dr", "prof", "professor", "doctor", "nurse", "sister", "matron", "cllr", "councillor"})
LEADS = frozenset(
    WORD.findall(
        """
        patient pt lady name re mum dad gentleman client rip daughter son wife husband mother father brother sister
        """
    )
)
